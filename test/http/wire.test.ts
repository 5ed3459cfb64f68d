import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { type RawAnswer, requestOf as request, sendBytes } from '../support/raw-http.ts';
import { createTestApp, KEYS } from '../support/test-app.ts';

const app = await createTestApp(t);
const port = await app.listen();

const BODY = JSON.stringify({ telemetry_id: 'allow', device_id: 'active' });
const HEAD = [
  'POST /v1/decide HTTP/1.1',
  'Host: localhost',
  'Connection: close',
  'Content-Type: application/json',
  `Authorization: Bearer ${KEYS.all}`,
];

const sendRaw = (...chunks: readonly (string | Buffer)[]) => sendBytes(port, ...chunks);

function assertProblem(t: Tap, { head, body }: RawAnswer): void {
  t.match(head, /\r\ncontent-type: application\/problem\+json/i);
  t.match(JSON.parse(body), { code: 'invalid_request', status: Number, title: String, type: String });
}

type Tap = Pick<typeof t, 'match'>;

t.test('answers a request over a real socket', async (t) => {
  const { status, body } = await sendRaw(request([...HEAD, `Content-Length: ${BODY.length}`], BODY));
  t.equal(status, 200);
  t.match(body, /"decision":"ALLOW"/);
});

t.test('answers garbage with a problem, and goes on serving', async (t) => {
  for (const garbage of [
    'nonsense\r\n\r\n',
    '\u0000\u0001\u0002\r\n\r\n',
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
  ]) {
    const answer = await sendRaw(garbage);
    t.equal(answer.status, 400, JSON.stringify(garbage));
    assertProblem(t, answer);
  }
  const random = Buffer.from(Array.from({ length: 2_000 }, (_, index) => (index * 7919 + 128) % 256));
  t.ok((await sendRaw(random, '\r\n\r\n')).status < 500);
  t.equal((await sendRaw(request(['GET /livez HTTP/1.1', 'Host: x', 'Connection: close']))).status, 200);
});

t.test('refuses headers that are too large on every route, whatever gateways may send', async (t) => {
  for (const line of ['POST /v1/decide', 'GET /livez', 'GET /nowhere', 'GET /v1/gatewayx'])
    for (const bytes of [16 * 1024, 60 * 1024, 200 * 1024]) {
      const lines = [`${line} HTTP/1.1`, ...HEAD.slice(1), `X-Padding: ${'x'.repeat(bytes)}`];
      const { status, head, body } = await sendRaw(request(lines));
      t.equal(status, 431, `${line} ${bytes}`);
      t.match(head, /\r\ncontent-type: application\/problem\+json/i);
      t.match(JSON.parse(body), { code: 'headers_too_large', status: 431, request_id: String });
    }
});

t.test('takes headers of almost 16 KiB', async (t) => {
  const lines = [...HEAD, `Content-Length: ${BODY.length}`, `X-Padding: ${'x'.repeat(16_000)}`];
  t.equal((await sendRaw(request(lines, BODY))).status, 200);
});

t.test('refuses ambiguous framing', async (t) => {
  const both = request([...HEAD, 'Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n');
  const twice = request([...HEAD, 'Content-Length: 5', 'Content-Length: 6'], 'abcdef');
  for (const text of [both, twice, request([...HEAD, 'Content-Length: x'])]) {
    const answer = await sendRaw(text);
    t.equal(answer.status, 400);
    assertProblem(t, answer);
  }
});

t.test('refuses a body over 16 KiB however it is sent', async (t) => {
  const long = JSON.stringify({ user_agent: 'x'.repeat(20_000) });
  const chunked = `${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`;
  const answers = [
    await sendRaw(request([...HEAD, `Content-Length: ${long.length}`], long)),
    await sendRaw(request([...HEAD, 'Content-Length: 99999999'])),
    await sendRaw(request([...HEAD, 'Transfer-Encoding: chunked'], chunked)),
  ];
  for (const { status, body } of answers) {
    t.equal(status, 413);
    t.match(body, /"code":"payload_too_large"/);
  }
});

t.test('takes a body in chunks', async (t) => {
  const chunks = BODY.split('')
    .map((character) => `1\r\n${character}\r\n`)
    .join('');
  const { status, body } = await sendRaw(
    request([...HEAD, 'Transfer-Encoding: chunked'], `${chunks}0\r\n\r\n`),
  );
  t.equal(status, 200);
  t.match(body, /"decision":"ALLOW"/);
});

t.test('takes bytes that are not UTF-8 for no fault of its own', async (t) => {
  const bytes = Buffer.concat([
    Buffer.from('{"telemetry_id":"'),
    Buffer.from([0xff, 0xc0, 0x80]),
    Buffer.from('"}'),
  ]);
  const { status, body } = await sendRaw(request([...HEAD, `Content-Length: ${bytes.length}`]), bytes);
  t.ok(status === 400 || status === 200);
  t.notMatch(body, /ALLOW/);
});

t.test('never reflects a header that a request id smuggles in', async (t) => {
  const ids = [
    'a\r\nX-Injected: yes',
    'a\r\n X-Injected: yes',
    'a\rX-Injected: yes',
    'a\nX-Injected: yes',
    'a\u0000b',
  ];
  for (const id of ids) {
    const { status, head } = await sendRaw(
      request([...HEAD, `X-Request-ID: ${id}`, `Content-Length: ${BODY.length}`], BODY),
    );
    t.ok(status === 200 || status === 400, JSON.stringify(id));
    t.notMatch(head, /injected/i);
  }
});

t.test('answers a URL that cannot be one', async (t) => {
  for (const path of [
    '/%',
    '/v1/decide%zz',
    '/%c0%ae%c0%ae/',
    '/v1/%ff',
    '//',
    '/./..',
    '*',
    '/v1/decide/../policy',
  ]) {
    const { status, body, head } = await sendRaw(
      request([`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close']),
    );
    t.ok(status >= 400 && status < 500, `${path} ${status}`);
    t.match(head, /content-type: application\/problem\+json/i, path);
    t.match(JSON.parse(body), { code: String, request_id: String }, path);
  }
});

t.test('gives every refusal a request id, also those that no route makes', async (t) => {
  const answers = [
    await sendRaw('nonsense\r\n\r\n'),
    await sendRaw(request([...HEAD, `X-Padding: ${'x'.repeat(64 * 1024)}`])),
    await sendRaw(request(['GET /% HTTP/1.1', 'Host: x', 'Connection: close'])),
    await sendRaw(request(['GET /nowhere HTTP/1.1', 'Host: x', 'Connection: close'])),
  ];
  for (const { status, head, body } of answers) {
    t.match(JSON.parse(body), { request_id: /^\S+$/ }, `${status} in its body`);
    t.match(head, /\r\nx-request-id: \S/i, `${status} in its header`);
  }
});

t.test('survives a caller that leaves early', async (t) => {
  for (const text of [
    request([...HEAD, 'Content-Length: 500'], '{'),
    request([...HEAD, 'Content-Length: 53'], BODY),
  ]) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    await new Promise<void>((resolve) => socket.write(text, () => resolve()));
    socket.resetAndDestroy();
    await once(socket, 'close');
  }
  t.equal((await app.decide(BODY)).status, 200);
  t.notOk(app.events().includes('request.failed'), 'and does not call it a defect');
});

t.test('answers every request of a pipeline in order', async (t) => {
  const keep = HEAD.filter((line) => !line.startsWith('Connection'));
  const one = request([...keep, `Content-Length: ${BODY.length}`], BODY);
  const last = request([...HEAD, `Content-Length: ${BODY.length}`], BODY);
  const { head, body } = await sendRaw(one + one + last);
  t.equal(`${head}${body}`.match(/HTTP\/1\.1 200/g)?.length, 3);
});
