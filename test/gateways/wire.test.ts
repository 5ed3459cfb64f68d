import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { writeApiKeys } from '../support/api-key-file.ts';
import { askGateway, createGatewayApp, riskOf } from '../support/ask-gateway.ts';
import {
  createDirectory,
  createTestApp,
  KEYS,
  startEmulators,
  type TestApp,
  until,
} from '../support/test-app.ts';

const emulators = await startEmulators(t);
const app = await createTestApp(t, { emulators });
const port = await app.listen();

const HEAD = [
  'Host: riskgate',
  `X-Riskgate-Key: ${KEYS.decide}`,
  'X-Original-Method: POST',
  'X-Original-URI: /shop',
  'X-Telemetry-ID: allow',
  'X-Device-ID: active',
];
const lines = (...parts: readonly string[]) => `${parts.join('\r\n')}\r\n\r\n`;
const GET = lines('GET /v1/gateway/nginx/default HTTP/1.1', ...HEAD);

/** Sends bytes as they are, and reads until so many answers are complete or the connection ends. */
async function speak(bytes: string, to: number = port, count = 1): Promise<{ answer: string }> {
  const socket = connect(to, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  await once(socket, 'connect');
  socket.write(bytes);
  await until('there is an answer', () => socket.destroyed || countAnswers(answer) >= count);
  return { answer };
}

/** The answers that are complete with their bodies. */
function countAnswers(received: string): number {
  const heads = [...received.matchAll(/HTTP\/1\.1 [\s\S]*?\r\n\r\n/g)];
  return heads.filter(({ 0: head, index }) => {
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    return received.length >= index + head.length + length;
  }).length;
}

const statusOf = (answer: string) => Number(answer.slice(9, 12));
const fieldOf = (answer: string, name: string) =>
  new RegExp(`^${name}: (.*)$`, 'im').exec(answer)?.[1]?.trim();

function checkRisk(t: Pick<Test, 'match'>, answer: string): void {
  for (const name of ['x-risk-decision', 'x-risk-decision-id', 'x-risk-reasons'])
    t.match(fieldOf(answer, name), /^[\x21-\x7e]+$/, name);
}

t.test('fact 3: a Content-Length without a body does not hang, and ends the connection', async (t) => {
  const { answer } = await speak(
    lines('GET /v1/gateway/nginx/default HTTP/1.1', ...HEAD, 'Content-Length: 10'),
  );
  t.equal(statusOf(answer), 200);
  checkRisk(t, answer);
  t.equal(fieldOf(answer, 'connection'), 'close', 'whatever follows is not taken for the body');
});

t.test('fact 3: a request that is hidden in place of a body that never came is not answered', async (t) => {
  const head = lines('GET /v1/gateway/nginx/default HTTP/1.1', ...HEAD, 'Content-Length: 4');
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  socket.on('error', () => {});
  socket.write(head);
  await until('the first is answered', () => answer.includes('\r\n\r\n'));
  socket.write(`${GET}${GET}`);
  if (!socket.destroyed) await once(socket, 'close');
  t.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
});

t.test('fact 3: bodies are read to their end, and the connection is used again', async (t) => {
  for (const [header, body] of [
    ['Content-Length: 5', 'a=b&c'],
    ['Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
    ['Content-Length: 0', ''],
  ] as const) {
    const post = lines('POST /v1/gateway/nginx/default HTTP/1.1', ...HEAD, header) + body;
    const { answer } = await speak(post + GET, port, 2);
    t.equal(answer.match(/HTTP\/1\.1 200/g)?.length, 2, header);
    t.notMatch(answer, /connection: close/i, header);
  }
});

t.test('fact 3: a body of 2 MB is answered', async (t) => {
  const size = 2 * 1024 * 1024;
  const post = lines('PUT /v1/gateway/nginx/default HTTP/1.1', ...HEAD, `Content-Length: ${size}`);
  const { answer } = await speak(post + 'x'.repeat(size));
  t.equal(statusOf(answer), 200);
});

t.test('fact 3: an expectation that nobody knows is answered', async (t) => {
  const { answer } = await speak(lines('GET /v1/gateway/nginx/default HTTP/1.1', ...HEAD, 'Expect: wonders'));
  t.equal(statusOf(answer), 200);
  checkRisk(t, answer);
});

t.test('fact 3: an Upgrade and an HTTP/1.0 request are answered', async (t) => {
  for (const [version, ...more] of [
    ['HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket'],
    ['HTTP/1.0'],
  ]) {
    const { answer } = await speak(lines(`GET /v1/gateway/nginx/default ${version}`, ...HEAD, ...more));
    t.equal(statusOf(answer), 200, String(version));
    checkRisk(t, answer);
  }
});

t.test('an unclear host is a BLOCK, and no outage that a gateway might let in', async (t) => {
  const [, ...others] = HEAD;
  const hosts = [['Host: shop.example,internal'], ['Host: a', 'Host: b'], []];
  for (const dialect of ['nginx/default', 'envoy/default/shop'])
    for (const host of hosts) {
      const { answer } = await speak(lines(`GET /v1/gateway/${dialect} HTTP/1.1`, ...host, ...others));
      t.equal(statusOf(answer), 403, `${dialect} ${host.join()}`);
      t.equal(fieldOf(answer, 'x-risk-decision'), 'BLOCK');
      t.equal(fieldOf(answer, 'x-risk-reasons'), 'REQUEST_MALFORMED');
      t.equal(fieldOf(answer, 'connection'), 'close', 'its body has not been read');
      checkRisk(t, answer);
    }
  t.ok(app.events().includes('gateway.refused'));
});

t.test('fact 4: what cannot be parsed is refused with the three headers', async (t) => {
  const cases = [
    [lines('WONDER /v1/gateway/nginx/default HTTP/1.1', ...HEAD), 403],
    [lines('GET /v1/gateway/nginx/default HTTP/1.1', ...HEAD, 'Content-Length: x'), 403],
    [lines('GET /v1/gateway/nginx/default HTTP/1.1', ...HEAD, 'Bad Header'), 403],
    [
      lines(
        'POST /v1/gateway/nginx/default HTTP/1.1',
        ...HEAD,
        'Content-Length: 3',
        'Transfer-Encoding: chunked',
      ),
      403,
    ],
    ['nonsense\r\n\r\n', 400],
  ] as const;
  for (const [bytes, status] of cases) {
    const { answer } = await speak(bytes);
    t.equal(statusOf(answer), status, bytes.slice(0, 60));
    checkRisk(t, answer);
    t.notMatch(answer, /llhttp|HPE_|Parse Error/i);
    if (status === 403) t.notMatch(answer, /problem\+json/, 'no problem document towards an end user');
  }
});

t.test('a head as large as gateways take is judged like any other', async (t) => {
  const cookies = (bytes: number) => `Cookie: session=${'x'.repeat(bytes)}`;
  for (const dialect of ['nginx/default', 'envoy/default/shop'])
    for (const bytes of [20_000, 60_000]) {
      const { answer } = await speak(lines(`GET /v1/gateway/${dialect} HTTP/1.1`, ...HEAD, cookies(bytes)));
      t.equal(statusOf(answer), 200, `${bytes} at ${dialect}`);
      t.equal(fieldOf(answer, 'x-risk-decision'), 'ALLOW');
    }
  const late = lines(
    'GET /v1/gateway/nginx/default HTTP/1.1',
    ...HEAD,
    cookies(60_000),
    'X-Telemetry-ID: forged',
  );
  t.equal(statusOf((await speak(late)).answer), 403, 'what stands behind it is read too');
});

t.test('a head over the limit is neither a BLOCK nor let in, whatever the profile', async (t) => {
  const own = await createGatewayApp(t, { open: { on_unavailable: 'allow' } }, { emulators });
  const ownPort = await own.listen();
  const padding = (bytes: number) => `Cookie: ${'x'.repeat(bytes)}`;
  const fields = Array.from({ length: 1_200 }, () => 'a: b');
  for (const [what = '', ...more] of [
    ['bytes over it', padding(70_000)],
    ['more of them than are read', padding(16_000), 'X-Second: y', padding(70_000)],
    ['fields', ...fields],
  ]) {
    const { answer } = await speak(lines('GET /v1/gateway/nginx/open HTTP/1.1', ...HEAD, ...more), ownPort);
    const isKnown = what !== 'more of them than are read';
    t.equal(statusOf(answer), isKnown ? 503 : 431, what);
    t.equal(fieldOf(answer, 'x-risk-decision'), 'UNAVAILABLE', what);
    if (isKnown) t.equal(fieldOf(answer, 'x-risk-reasons'), 'REQUEST_TOO_LARGE', what);
  }
  t.match(
    own.logs.filter(({ event }) => event === 'gateway.refused').map(({ reason }) => reason),
    ['REQUEST_TOO_LARGE'],
  );
});

t.test('a gateway is known by its connection where its request is too large to be read', async (t) => {
  const huge = lines('GET /v1/gateway/nginx/default HTTP/1.1', ...HEAD, `Cookie: ${'x'.repeat(100_000)}`);
  const { answer } = await speak(GET + huge, port, 2);
  t.match(answer, /HTTP\/1\.1 200 .*HTTP\/1\.1 503 .*x-risk-reasons: REQUEST_TOO_LARGE/s);
});

t.test('the limit is a setting', async (t) => {
  const own = await createTestApp(t, { emulators, env: { GATEWAY_HEADER_BYTES_MAX: '16384' } });
  const ownPort = await own.listen();
  const head = lines('GET /v1/gateway/nginx/default HTTP/1.1', ...HEAD, `Cookie: ${'x'.repeat(20_000)}`);
  t.equal(statusOf((await speak(head, ownPort)).answer), 503);
  t.equal(statusOf((await speak(head)).answer), 200);
});

t.test('fact 4: every address below the prefix has the three headers, whatever it is', async (t) => {
  for (const path of [
    '/v1/gateway',
    '/v1/gateway?x',
    '/v1/gateway/',
    '/v1/gateway/nginx',
    '/v1/gateway/nginx/',
    '/v1/gateway/traefik/default',
    '/v1/gateway/NGINX/default',
    '/v1/gateway/nginx%2fdefault',
    '/v1/gateway/%zz/%zz',
    '/v1/gateway/../decide',
    '/v1/gateway/constructor/default',
    '/v1/gateway/nginx/__proto__',
    '/v1/gateway/-/-',
    `/v1/gateway/nginx/${'a'.repeat(500)}`,
  ]) {
    const { answer } = await speak(lines(`GET ${path} HTTP/1.1`, ...HEAD));
    t.equal(statusOf(answer), 403, path);
    checkRisk(t, answer);
    t.match(fieldOf(answer, 'x-risk-reasons'), /^(ADDRESS|PROFILE)_UNKNOWN$/, path);
  }
});

t.test('a gateway that goes away while it is answered harms nobody', async (t) => {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${lines('POST /v1/gateway/nginx/default HTTP/1.1', ...HEAD, 'Content-Length: 10')}cut`);
  await once(socket, 'connect');
  socket.destroy();
  t.equal((await askGateway(app)).status, 200);
  t.notOk(app.events().includes('request.failed'));
});

const hanging = (app: TestApp, n: number) => askGateway(app, { telemetryId: 'fault-hang', target: `/${n}` });

t.test('an overloaded service says that it cannot decide', async (t) => {
  const profiles = {
    open: { on_unavailable: 'allow' },
    step: { on_unavailable: 'challenge' },
    shut: { on_unavailable: 'block' },
    passing: { on_unavailable: 'challenge', challenge: 'pass' },
  };
  const env = { MAX_IN_FLIGHT: '1', DECISION_DEADLINE_MS: '600' };
  const own = await createGatewayApp(t, profiles, { emulators, env });
  const held = hanging(own, 1);
  await until('it is in flight', async () => (await askGateway(own)).status === 503);
  const reply = await askGateway(own);
  t.match(reply.headers, { 'retry-after': '1', 'cache-control': 'no-store' });
  t.equal(riskOf(reply), 'UNAVAILABLE none OVERLOADED');
  t.same(JSON.parse(reply.text), { decision: 'UNAVAILABLE', decision_id: null });
  const outcomes = {
    open: [200, 'UNAVAILABLE none OVERLOADED'],
    step: [401, 'CHALLENGE none OVERLOADED'],
    shut: [403, 'BLOCK none OVERLOADED'],
    passing: [200, 'CHALLENGE none OVERLOADED'],
  };
  for (const [profile, expected] of Object.entries(outcomes)) {
    const mapped = await askGateway(own, { profile });
    t.same([mapped.status, riskOf(mapped)], expected, profile);
  }
  t.equal((await askGateway(own, { profile: 'open', key: 'wrong' })).status, 403, 'open to gateways only');
  t.equal((await held).status, 401);
  t.equal((await askGateway(own)).status, 200);
  const refused = own.logs.filter(
    ({ event, reason }) => event === 'gateway.refused' && reason === 'OVERLOADED',
  );
  t.equal(refused.length, 5, 'one line for each profile');
});

t.test(
  'the limits beside an API key hold at this entry point too, together with those of the API',
  async (t) => {
    const file = writeApiKeys(createDirectory(t), [
      { id: 'few', key: 'key-of-few', limits: { requests: 3, window_seconds: 3600 } },
      { id: 'one', key: 'key-of-one', limits: { concurrent: 1 } },
    ]);
    const own = await createTestApp(t, {
      emulators,
      env: { API_KEYS_FILE: file, DECISION_DEADLINE_MS: '600' },
    });
    const body = { telemetry_id: 'allow', device_id: 'active' };
    t.equal((await own.decide(body, { key: 'key-of-few' })).status, 200);
    for (let n = 0; n < 2; n += 1) t.equal((await askGateway(own, { key: 'key-of-few' })).status, 200);
    const limited = await askGateway(own, { key: 'key-of-few' });
    t.same(
      [limited.status, riskOf(limited)],
      [503, 'UNAVAILABLE none RATE_LIMITED'],
      'no gateway passes a 429 on',
    );
    t.ok(Number(limited.headers['retry-after']) > 1);
    t.equal((await own.refused(body, { key: 'key-of-few' })).status, 429);
    const held = askGateway(own, { key: 'key-of-one', telemetryId: 'fault-hang' });
    t.equal((await askGateway(own, { key: 'key-of-one' })).status, 503);
    t.equal((await own.refused(body, { key: 'key-of-one' })).status, 429);
    await held;
    t.equal((await askGateway(own, { key: 'key-of-one' })).status, 200);
  },
);

t.test('a service that drains still decides, and asks for the connection to be closed', async (t) => {
  const own = await createTestApp(t, { emulators });
  const ownPort = await own.listen();
  own.app.drain();
  const { answer } = await speak(GET, ownPort);
  t.equal(statusOf(answer), 200);
  t.equal(fieldOf(answer, 'connection'), 'close');
});

t.test('a defect is a 503 that says nothing, even where the profile is open', async (t) => {
  let ids = 0;
  const own = await createGatewayApp(
    t,
    { open: { on_unavailable: 'allow' } },
    {
      emulators,
      // A request has an id, and then its decision none.
      newId: () => {
        ids += 1;
        if (ids % 2 === 1) return `request-${ids}`;
        throw new TypeError('a defect that quotes canary-telemetry');
      },
    },
  );
  ids = 0;
  for (const state of ['cold', 'warm']) {
    const reply = await askGateway(own, { profile: 'open' });
    t.same([reply.status, riskOf(reply)], [503, 'UNAVAILABLE none INTERNAL'], state);
    t.notMatch(reply.text, /canary|TypeError/);
  }
  const failed = own.logs.filter(({ event }) => event === 'request.failed');
  t.equal(failed.length, 2);
  t.match(failed[0], { request_id: 'request-1', err: { name: 'TypeError' } });
  t.notMatch(own.logText(), /canary/);
});

t.test('no raw identifier of a gateway is in any log line', async (t) => {
  const own = await createTestApp(t, { emulators });
  const target = '/canary-path?telemetry_id=canary-telemetry&device_id=canary-device';
  const headers = {
    'user-agent': 'canary-agent',
    cookie: 'telemetry_id=canary-cookie',
    'x-request-id': 'canary-request',
  };
  const none = { telemetryId: null, deviceId: null };
  await askGateway(own, { ...none, target, headers });
  await askGateway(own, { ...none, target: `${target}&device_id=canary-second`, headers });
  await askGateway(own, { ...none, target, headers, key: 'canary-key' });
  await askGateway(own, { ...none, target, headers, profile: 'canary-profile' });
  t.ok(own.events().includes('decision.made'));
  t.notMatch(own.logText(), /canary/);
});
