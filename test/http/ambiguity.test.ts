import t from 'tap';
import { requestOf, sendBytes } from '../support/raw-http.ts';
import { createTestApp, KEYS } from '../support/test-app.ts';

/**
 * What a proxy in front and the service might read differently: each has to be refused, or to have one
 * meaning only.
 */

const app = await createTestApp(t);
const port = await app.listen();

const BODY = JSON.stringify({ telemetry_id: 'allow', device_id: 'active' });
const POST = 'POST /v1/decide HTTP/1.1';
const HOST = 'Host: localhost';
const TYPE = 'Content-Type: application/json';
const KEY = `Authorization: Bearer ${KEYS.all}`;
const LENGTH = `Content-Length: ${BODY.length}`;
const CLOSE = 'Connection: close';
/** A second request, hidden in what one of two readers takes for a body. */
const HIDDEN = requestOf(['GET /v1/policy HTTP/1.1', HOST, KEY, CLOSE]);
const CHUNKED = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;

/** A decision with these header lines beside the usual ones, and this body. */
const decide = (lines: readonly string[], body = BODY): string =>
  requestOf([POST, HOST, TYPE, KEY, ...lines], body);

t.test('takes the request that all of these are made of', async (t) => {
  const answer = await sendBytes(port, decide([LENGTH, CLOSE]));
  t.same(answer.statuses, [200]);
  t.match(answer.body, /"decision":"ALLOW"/);
});

/**
 * Framing that two readers can take for two lengths. None may get a decision, and none may be followed by a
 * second answer.
 */
const SMUGGLED: readonly (readonly [string, string])[] = [
  ['a length and chunks', decide(['Content-Length: 5', 'Transfer-Encoding: chunked'], `0\r\n\r\n${HIDDEN}`)],
  ['chunks and a length', decide(['Transfer-Encoding: chunked', 'Content-Length: 5'], `0\r\n\r\n${HIDDEN}`)],
  ['two lengths', decide([LENGTH, `Content-Length: ${BODY.length + HIDDEN.length}`], BODY + HIDDEN)],
  ['the same length twice', decide([LENGTH, LENGTH], BODY + HIDDEN)],
  ['a list of lengths', decide([`${LENGTH}, ${BODY.length}`], BODY + HIDDEN)],
  ['a length with a sign', decide([`Content-Length: +${BODY.length}`], BODY + HIDDEN)],
  ['a negative length', decide(['Content-Length: -1'], BODY + HIDDEN)],
  ['a length in hex', decide([`Content-Length: 0x${BODY.length.toString(16)}`], BODY + HIDDEN)],
  ['a length beyond all numbers', decide([`Content-Length: ${'9'.repeat(40)}`], BODY + HIDDEN)],
  ['a space before a colon', decide([`Content-Length : ${BODY.length}`], BODY + HIDDEN)],
  ['a space before another colon', decide(['Transfer-Encoding : chunked'], CHUNKED + HIDDEN)],
  ['an unknown encoding', decide(['Transfer-Encoding: xchunked'], CHUNKED + HIDDEN)],
  ['an unknown encoding and a length', decide(['Transfer-Encoding: xchunked', LENGTH], BODY + HIDDEN)],
  ['an encoding after chunks', decide(['Transfer-Encoding: chunked, identity'], CHUNKED + HIDDEN)],
  ['two encodings', decide(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], CHUNKED + HIDDEN)],
  ['a folded encoding', decide(['Transfer-Encoding:', ' chunked'], CHUNKED + HIDDEN)],
  ['a folded field', decide(['X-Padding: a', ' b', LENGTH], BODY + HIDDEN)],
  ['bare line feeds', decide([LENGTH]).replaceAll('\r\n', '\n') + HIDDEN],
  ['one bare line feed', decide([`X-Padding: a\nTransfer-Encoding: chunked`, LENGTH], BODY + HIDDEN)],
  ['a bare carriage return', decide([`X-Padding: a\rTransfer-Encoding: chunked`, LENGTH], BODY + HIDDEN)],
  ['a zero byte in a field', decide(['X-Padding: a\u0000b', LENGTH], BODY + HIDDEN)],
  ['a zero byte in a name', decide(['X-Pad\u0000ding: ab', LENGTH], BODY + HIDDEN)],
  ['a line without a colon', decide(['X-Padding', LENGTH], BODY + HIDDEN)],
  [
    'a size of a chunk with a prefix',
    decide(['Transfer-Encoding: chunked'], `0x5\r\nabcde\r\n0\r\n\r\n${HIDDEN}`),
  ],
  ['a negative size of a chunk', decide(['Transfer-Encoding: chunked'], `-5\r\nabcde\r\n0\r\n\r\n${HIDDEN}`)],
  [
    'a size of a chunk beyond all numbers',
    decide(['Transfer-Encoding: chunked'], `${'f'.repeat(17)}\r\n${HIDDEN}`),
  ],
  [
    'a chunk after a bare line feed',
    decide(['Transfer-Encoding: chunked'], `5\nabcde\r\n0\r\n\r\n${HIDDEN}`),
  ],
  [
    'a chunk longer than its size',
    decide(['Transfer-Encoding: chunked'], `3\r\nabcde\r\n0\r\n\r\n${HIDDEN}`),
  ],
  [
    'a chunk extension with a line feed',
    decide(['Transfer-Encoding: chunked'], CHUNKED.replace('\r', ';a\nb\r') + HIDDEN),
  ],
];

for (const [what, text] of SMUGGLED) {
  t.test(`ends a connection with ${what}`, async (t) => {
    const { statuses, head, body } = await sendBytes(port, text);
    t.same(statuses, [400], 'one refusal and nothing after it');
    t.match(head, /\r\nconnection: close/i);
    t.match(JSON.parse(body), { code: 'invalid_request', request_id: String });
  });
}

/** Fields that are single by definition. node:http would take the first of two. */
const TWICE: readonly (readonly [string, readonly string[], number])[] = [
  ['a good key and a wrong one', [KEY, 'Authorization: Bearer wrong', HOST, TYPE], 401],
  ['a wrong key and a good one', ['Authorization: Bearer wrong', KEY, HOST, TYPE], 401],
  ['two good keys', [KEY, `Authorization: Bearer ${KEYS.decide}`, HOST, TYPE], 401],
  ['two keys in the other field', [`X-API-Key: ${KEYS.all}`, `X-API-Key: ${KEYS.decide}`, HOST, TYPE], 401],
  ['two content types', [KEY, HOST, TYPE, 'Content-Type: text/plain'], 415],
  ['two hosts', [KEY, HOST, 'Host: evil.example', TYPE], 400],
  ['two deadlines', [KEY, HOST, TYPE, 'X-Request-Deadline: 60', 'X-Request-Deadline: 10000'], 400],
  ['two idempotency keys', [KEY, HOST, TYPE, 'Idempotency-Key: "a"', 'Idempotency-Key: "b"'], 400],
  ['no host', [KEY, TYPE], 400],
];

for (const [what, lines, expected] of TWICE) {
  t.test(`refuses a request with ${what}`, async (t) => {
    const { statuses, head, body } = await sendBytes(port, requestOf([POST, ...lines, LENGTH, CLOSE], BODY));
    t.same(statuses, [expected]);
    t.match(head, /\r\ncontent-type: application\/problem\+json/i);
    t.match(JSON.parse(body), { status: expected, code: String });
  });
}

t.test('takes HTTP/1.0 without a host, and an expectation that it does not know', async (t) => {
  const old = requestOf(['POST /v1/decide HTTP/1.0', TYPE, KEY, LENGTH], BODY);
  t.same((await sendBytes(port, old)).statuses, [200]);
  t.same((await sendBytes(port, decide([LENGTH, CLOSE, 'Expect: the-unexpected']))).statuses, [200]);
  t.same((await sendBytes(port, decide([LENGTH, CLOSE, 'Expect: 100-continue']))).statuses, [100, 200]);
});

t.test('believes no field that names another method, path or address', async (t) => {
  const fields = [
    'X-HTTP-Method-Override: DELETE',
    'X-Original-URL: /v1/policy',
    'X-Rewrite-URL: /v1/policy',
    'X-Forwarded-For: 192.0.2.1',
    'Forwarded: for=192.0.2.1;host=evil.example',
  ];
  const { statuses, body } = await sendBytes(
    port,
    requestOf(['GET /livez HTTP/1.1', HOST, CLOSE, ...fields]),
  );
  t.same(statuses, [200]);
  t.equal(body, '{"status":"live"}');
});

t.test('takes no field of a trailer for one of the head', async (t) => {
  const trailer = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\nAuthorization: Bearer ${KEYS.all}\r\n\r\n`;
  const lines = [POST, HOST, TYPE, CLOSE, 'Transfer-Encoding: chunked', 'Trailer: Authorization'];
  t.same((await sendBytes(port, requestOf(lines, trailer))).statuses, [401]);
});

/** Spellings that some proxies and routers take for `/metrics`, which is open and not for everyone. */
const SPELLINGS = [
  '/%6Detrics',
  '/metric%73',
  '/%2fmetrics',
  '/x/..%2fmetrics',
  '/x/../metrics',
  '/./metrics',
  '//metrics',
  '/metrics/',
  '/metrics/.',
  '/METRICS',
  '/metrics;x=1',
  '/metrics%3Fx',
  '/metrics%23',
  '/metrics%00',
  '/metrics#',
  '/metrics#/livez',
  '/livez#/../metrics',
  '/metrics\\',
  '\\metrics',
];

for (const path of SPELLINGS) {
  t.test(`finds nothing at ${path}`, async (t) => {
    const { statuses, body } = await sendBytes(port, requestOf([`GET ${path} HTTP/1.1`, HOST, CLOSE]));
    t.equal(statuses.length, 1);
    t.match(JSON.parse(body), { status: /^40[04]$/, code: /^(not_found|invalid_request)$/ });
  });
}

t.test('takes a path for no pattern', async (t) => {
  for (const path of ['/*', '/*a', '/:a', '/:a(', '/docs/static/*', '/(a', '/v1/*', '/:a::b', '/{a}']) {
    for (const method of ['GET', 'POST']) {
      const { status, json } = await app.ask<{ code: string }>(method as 'GET', path);
      t.equal(status, 404, `${method} ${path}`);
      t.equal(json.code, 'not_found');
    }
  }
  t.notOk(app.events().includes('request.failed'));
});

t.test('looks at no body for a path or a method that does not exist', async (t) => {
  for (const [method, path, status] of [
    ['POST', '/nowhere', 404],
    ['POST', '/livez', 405],
    ['PUT', '/v1/decide', 405],
    ['QUERY', '/v1/decide', 405],
    ['TRACE', '/v1/decide', 405],
  ] as const) {
    for (const lines of [
      [LENGTH],
      ['Content-Type: text/plain', 'Content-Length: 2'],
      [TYPE, 'Content-Length: 20000'],
    ]) {
      const body = lines.includes(LENGTH) ? BODY : '{{';
      const { statuses } = await sendBytes(
        port,
        requestOf([`${method} ${path} HTTP/1.1`, HOST, CLOSE, ...lines], body),
      );
      t.same(statuses, [status], `${method} ${path} ${lines.join()}`);
    }
  }
});

t.test('drops no field of many: it takes them all or refuses them', async (t) => {
  const withFields = (count: number) =>
    decide([...Array(count).fill('X-A: b'), 'X-Request-Deadline: soon', LENGTH, CLOSE]);
  t.same((await sendBytes(port, withFields(10))).statuses, [400], 'the last field was read');
  for (const count of [400, 800, 1_200, 1_999, 2_500]) {
    const { status } = await sendBytes(port, withFields(count));
    t.ok(status === 400 || status === 431, `${count}: ${status}`);
  }
});

t.test('refuses a URL that is too long, whatever it asks for', async (t) => {
  for (const [length, expected] of [
    [12_000, 404],
    [64 * 1024, 431],
  ] as const) {
    const path = `/${'a'.repeat(length)}`;
    t.same((await sendBytes(port, requestOf([`GET ${path} HTTP/1.1`, HOST, CLOSE]))).statuses, [expected]);
  }
  const query = `explain=${'a'.repeat(12_000)}`;
  const answer = await sendBytes(
    port,
    requestOf([`POST /v1/decide?${query} HTTP/1.1`, HOST, TYPE, KEY, LENGTH, CLOSE], BODY),
  );
  t.equal(answer.status, 400);
  t.ok(answer.body.length < 1_000, 'and does not repeat it');
});

/** What tries to begin a line of its own in an answer or in the log. */
const INJECTIONS = [
  'a\r\nX-Injected: 1',
  'a%0d%0aX-Injected:%201',
  'a\\r\\nX-Injected: 1',
  'a\u2028b',
  'ä',
  '{"event":"x"}',
  'a"b',
];

for (const text of INJECTIONS) {
  t.test(
    `writes ${JSON.stringify(text).replaceAll(/[^\x20-\x7e]/g, '?')} into no header and no line of the log`,
    async (t) => {
      const ask = { telemetry_id: text, device_id: text, account_id: text, user_agent: text };
      const field = Buffer.from(text)
        .toString('latin1')
        .replaceAll(/[\r\n]/g, ' ');
      const headers = {
        'x-request-id': field,
        'idempotency-key': `"${field}"`,
        traceparent: field,
        'user-agent': field,
      };
      const before = app.logs.length;
      const answers = [
        await app.decide(ask),
        await app.decide(ask, { headers }),
        await app.ask('DELETE', `/v1/evidence?telemetry_id=${encodeURIComponent(text)}`),
        await app.ask('GET', `/v1/${encodeURIComponent(text)}`),
        await app.decide(ask, { url: `/v1/decide?explain=${encodeURIComponent(text)}` }),
      ];
      for (const { headers: answered } of answers) {
        t.notOk(Object.keys(answered).some((name) => /injected/i.test(name)));
        t.notMatch(JSON.stringify(answered), /injected/i);
      }
      const added = app.logText().trimEnd().split('\n').slice(before);
      t.ok(added.length > 0);
      for (const line of added) {
        t.type(JSON.parse(line).event, 'string');
        t.notMatch(line, /injected|\u2028|ä/i);
      }
    },
  );
}
