import fc from 'fast-check';
import t, { type Test } from 'tap';
import { createOpenApiDocument } from '../../openapi/document.ts';
import { createAnswerChecker, type ObservedAnswer } from '../support/answer-checker.ts';
import { writeApiKeys } from '../support/api-key-file.ts';
import { fuzzRun } from '../support/fuzz-run.ts';
import { mutated, mutatedText } from '../support/mutations.ts';
import { requestOf, sendBytes } from '../support/raw-http.ts';
import {
  createDirectory,
  createTestApp,
  KEYS,
  type TestApp,
  type TestAppOptions,
} from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';

const document = JSON.parse(await createOpenApiDocument(VENDORS));
const check = createAnswerChecker(document);

/** Ids of which the emulators say nothing bad, and some that they say bad things of or do not know. */
const CLEAN_TELEMETRY = ['allow', 'minimal'];
const CLEAN_DEVICES = ['active', 'never-seen', 'minimal'];
const OTHER_IDS = [
  'block',
  'challenge',
  'inauthentic',
  'revoked',
  'unsupported',
  'fault-500',
  'fault-redirect',
  '',
  'x',
];
const LIMITED_KEY = 'a key with a limit';
const SOME_KEYS = [KEYS.decide, KEYS.decide, KEYS.read, KEYS.admin, LIMITED_KEY];

interface AskedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | null;
}

const someId = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom<string | null>(...CLEAN_TELEMETRY, ...CLEAN_DEVICES, ...OTHER_IDS, null),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
);

/** A body as it is described, with values at and beyond their bounds. */
const nearlyValidBody = fc.record(
  {
    telemetry_id: someId,
    device_id: someId,
    device_ids: fc.record({ mobilerun: someId, prefactor: someId, stytch: someId }, { requiredKeys: [] }),
    action: fc.oneof(fc.constantFrom('login', 'a'.repeat(64), 'a'.repeat(65), ''), fc.string()),
    account_id: fc.oneof(fc.constantFrom('acct_42', 'a'.repeat(257)), fc.string({ unit: 'binary' })),
    ip: fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()),
    user_agent: fc.oneof(fc.string({ unit: 'binary' }), fc.constant('x'.repeat(1025))),
    max_age_ms: fc.oneof(fc.nat(), fc.constantFrom(-1, 0.5, 2 ** 53, '5')),
    deadline_ms: fc.oneof(fc.integer({ min: 1_000, max: 10_000 }), fc.constantFrom(49, 10_001, null)),
  },
  { requiredKeys: ['telemetry_id', 'device_id'] },
);
/** What a good client sends. */
const goodBody = fc.record(
  {
    // A suffix makes another id of the kind, which no other device has shown yet.
    telemetry_id: fc
      .tuple(fc.constantFrom(...CLEAN_TELEMETRY, ...OTHER_IDS), fc.nat(100_000))
      .map(([kind, serial]) => `${kind}-${serial}`),
    device_id: fc.constantFrom(...CLEAN_DEVICES, ...OTHER_IDS),
    action: fc.constantFrom('login', 'payout'),
    account_id: fc.constantFrom('acct_1', 'acct_2'),
    ip: fc.ipV4(),
  },
  { requiredKeys: ['telemetry_id', 'device_id'] },
);
const someJson = fc
  .oneof(nearlyValidBody, goodBody, goodBody.chain(mutated), nearlyValidBody.chain(mutated))
  .map((value) => JSON.stringify(value));
const someBody: fc.Arbitrary<string | Buffer | null> = fc.oneof(
  { weight: 10, arbitrary: goodBody.map((value) => JSON.stringify(value)) },
  { weight: 8, arbitrary: someJson },
  { weight: 3, arbitrary: someJson.chain(mutatedText) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 6 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constantFrom(null, '', 'x'.repeat(17_000), `{"a":${'['.repeat(5_000)}`) },
);

/**
 * Without the stream, whose answer does not end: test/http/decision-stream.test.ts has its own hostile
 * requests.
 */
const documented = Object.entries<object>(document.paths)
  .filter(([path]) => path !== '/v1/decisions/stream')
  .flatMap(([path, methods]) => Object.keys(methods).map((method) => [method.toUpperCase(), path] as const));
const someOperation = fc.oneof(
  { weight: 8, arbitrary: fc.constant(['POST', '/v1/decide'] as const) },
  { weight: 8, arbitrary: fc.constantFrom(...documented) },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'),
      fc.oneof(
        fc.constantFrom(
          ...documented.map(([, path]) => path),
          '/docs',
          '/openapi.json',
          '/',
          '/docs/static/..%2f',
        ),
        fc.webPath().map(toPath),
        fc
          .constantFrom(...documented.map(([, path]) => path))
          .chain(mutatedText)
          .map(toPath),
      ),
    ),
  },
);

/** A path that node:http lets through: what it does not is for raw sockets. */
function toPath(text: string): string {
  return `/${text.replace(/^\//, '').replaceAll(/[^\x21-\x7e]|[?#]/g, '')}`;
}

const someQuery = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('?explain=full', '?telemetry_id=allow', '?device_id=active&telemetry_id=x'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('?explain=all', '?explain=full&explain=full', '?__proto__=1', '?a[b]=c', '?%'),
  },
  { weight: 1, arbitrary: fc.webQueryParameters().map((query) => `?${query}`) },
  {
    weight: 1,
    arbitrary: fc.string({ maxLength: 300 }).map((id) => `?telemetry_id=${encodeURIComponent(id)}`),
  },
);

/** Anything that a header may hold. */
const fieldText = fc.string({ maxLength: 60 }).map((text) => text.trim());
const someHeaders = fc.record(
  {
    authorization: fc.oneof(
      { weight: 12, arbitrary: fc.constant(`Bearer ${KEYS.all}`) },
      { weight: 6, arbitrary: fc.constantFrom(...SOME_KEYS).map((key) => `Bearer ${key}`) },
      { weight: 1, arbitrary: fieldText },
    ),
    'x-api-key': fc.oneof(
      { weight: 8, arbitrary: fc.constant(KEYS.all) },
      { weight: 1, arbitrary: fieldText },
    ),
    'content-type': fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('application/json', 'application/json; charset=utf-8') },
      {
        weight: 1,
        arbitrary: fc.oneof(
          fc.constantFrom('text/plain', 'application/jsonp', 'multipart/form-data'),
          fieldText,
        ),
      },
    ),
    'x-request-id': fieldText,
    'x-request-deadline': fc.oneof(fc.nat(5_000).map(String), fieldText),
    'idempotency-key': fc.oneof(fc.constantFrom('"a"', '"b"', 'c', '"'), fieldText),
    traceparent: fc.oneof(fc.constant('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'), fieldText),
    accept: fc.oneof(fc.constantFrom('text/html', 'application/xml', '*/*'), fieldText),
    'x-http-method-override': fc.constantFrom('DELETE', 'GET'),
    __proto__x: fieldText,
  },
  { requiredKeys: ['authorization', 'content-type'] },
) as fc.Arbitrary<Record<string, string>>;
/** Most requests carry the headers that they need and one or two more. */
const fewHeaders = fc
  .tuple(someHeaders, fc.integer({ min: 0, max: 3 }), fc.nat())
  .map(([headers, extra, offset]) => {
    const { authorization = '', 'content-type': type = '', ...others } = headers;
    const names = Object.keys(others);
    const chosen = Array.from(
      { length: Math.min(extra, names.length) },
      (_, index) => names[(offset + index) % names.length] ?? '',
    );
    return {
      authorization,
      'content-type': type,
      ...Object.fromEntries(chosen.map((name) => [name, others[name] ?? ''])),
    };
  });

const someRequest: fc.Arbitrary<AskedRequest> = fc
  .tuple(someOperation, someQuery, fewHeaders, someBody)
  .map(([[method, path], query, headers, body]) => ({ method, path, query, headers, body }));

interface FuzzApp {
  readonly app: TestApp;
  readonly port: number;
}

async function openFuzzApp(t: Test, options: TestAppOptions = {}): Promise<FuzzApp> {
  const entries = [
    ...(['decide', 'read', 'admin'] as const).map((id) => ({ id, key: KEYS[id], scopes: [id] })),
    { id: 'all', key: KEYS.all },
    { id: 'limited', key: LIMITED_KEY, limits: { requests: 5, window_seconds: 1, concurrent: 2 } },
  ];
  const file = writeApiKeys(createDirectory(t), entries);
  const app = await createTestApp(t, {
    ...options,
    // AuthZEN's metadata are there where the service knows its own address.
    env: { API_KEYS_FILE: file, WRONG_KEYS_PER_MINUTE: '1000000', PUBLIC_URL: 'https://riskgate.example' },
  });
  return { app, port: await app.listen() };
}

/** Over a real connection: what injects a request mends its URL first. */
async function ask({ port }: FuzzApp, request: AskedRequest): Promise<ObservedAnswer> {
  const { method, path, query, headers, body } = request;
  const fields = Object.entries({ host: 'localhost', connection: 'close', ...headers });
  const content = body === null ? null : Buffer.from(body);
  if (content !== null) fields.push(['content-length', String(content.length)]);
  const head = [`${method} ${path}${query} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`)];
  const answer = await sendBytes(port, requestOf(head), content ?? '');
  return { method, path, status: answer.status, headers: toHeaders(answer.head), body: answer.body };
}

function toHeaders(head: string): Record<string, string> {
  const lines = head.split('\r\n').slice(1);
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
}

function isCleanTelemetry(id: string): boolean {
  if (id === '026ac93b-8cdf-4fcb-bfa6-36a31cfecac1') return true;
  return CLEAN_TELEMETRY.some((kind) => id === kind || id.startsWith(`${kind}-`));
}

const CLEAN_DEVICE = new Set([...CLEAN_DEVICES, '013xrzp12g3nqk8nyvk0xwzcb2gzp8z1']);

/**
 * Whether the emulators have nothing against what a body asks about. Judges the text itself, by what
 * README.md says of the ids.
 */
function isClean(body: AskedRequest['body']): boolean {
  const { telemetry_id: telemetry, device_id: device, device_ids: devices } = JSON.parse(String(body));
  const asked: unknown[] = device == null ? Object.values(devices ?? {}) : [device];
  return (
    isCleanTelemetry(String(telemetry)) &&
    asked.length > 0 &&
    asked.every((id) => CLEAN_DEVICE.has(String(id)))
  );
}

const GATEWAY_PATH = '/v1/gateway/{dialect}/{profile}';

/** What must hold of one request and its answer, or what is wrong. */
function mistakeIn(request: AskedRequest, answer: ObservedAnswer): string | null {
  // The one operation of gateways stands for every method and everything below its prefix, and says so.
  const isGateway = answer.path.startsWith('/v1/gateway/') && answer.method !== 'HEAD';
  const mistake = check(isGateway ? { ...answer, method: 'GET', path: GATEWAY_PATH } : answer);
  if (mistake !== null) return mistake;
  if (answer.path !== '/v1/decide' || answer.status !== 200) return null;
  const { decision } = JSON.parse(answer.body);
  // A replayed answer is about the request of the first use, which was the same.
  return decision === 'ALLOW' && !isClean(request.body) ? `ALLOW for ${String(request.body)}` : null;
}

t.test('answers whatever it is asked as its description says, and allows only what is clean', async (t) => {
  const opened = await openFuzzApp(t);
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(someRequest, async (request) => {
      const answer = await ask(opened, request);
      const verdict =
        answer.status === 200 && answer.path === '/v1/decide' ? JSON.parse(answer.body).decision : '';
      const name = `${answer.status} ${verdict}`.trim();
      seen.set(name, (seen.get(name) ?? 0) + 1);
      const mistake = mistakeIn(request, answer);
      if (mistake !== null) throw new Error(mistake);
    }),
    fuzzRun(t, 3_000),
  );
  t.comment(JSON.stringify([...seen]));
  for (const name of [
    '200 ALLOW',
    '200 CHALLENGE',
    '200 BLOCK',
    '400',
    '401',
    '403',
    '404',
    '405',
    '413',
    '415',
    '422',
    '429',
  ])
    t.ok((seen.get(name) ?? 0) > 0, `there was a ${name}`);
  t.notOk(opened.app.events().includes('request.failed'));
});

t.test('answers bytes on a socket with a problem or not at all, and goes on', async (t) => {
  const { app, port } = await openFuzzApp(t);
  const good = JSON.stringify({ telemetry_id: 'allow', device_id: 'active' });
  const text = [
    'POST /v1/decide?explain=full HTTP/1.1',
    'Host: localhost',
    'Connection: close',
    `Authorization: Bearer ${KEYS.all}`,
    'Content-Type: application/json',
    `Content-Length: ${good.length}`,
    'X-Request-ID: a',
    '',
    good,
  ].join('\r\n');
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutatedText(text), fc.string({ unit: 'binary' })), async (sent) => {
      // What is cut short would wait for the rest; half a connection ends it.
      const answer = await sendBytes(port, sent, null);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status === 0) return;
      const headers = toHeaders(answer.head);
      if (answer.status < 400 || answer.head.startsWith('HTTP/1.1 100')) return;
      const body = answer.body.slice(0, Number(headers['content-length']));
      const mistake = check({
        method: 'POST',
        path: '/nowhere',
        status: answer.status,
        headers,
        body,
      });
      if (mistake !== null) throw new Error(mistake);
    }),
    fuzzRun(t, 600),
  );
  t.comment(JSON.stringify([...statuses]));
  const all = [...statuses.values()].reduce((sum, count) => sum + count, 0);
  t.ok((statuses.get(400) ?? 0) > all / 8);
  t.ok((statuses.get(200) ?? 0) > 0);
  t.notOk(app.events().includes('request.failed'));
  t.equal((await app.decide(good)).json.decision, 'ALLOW');
});

t.test('would notice an ALLOW that is not clean', async (t) => {
  const lax = await openFuzzApp(t, {
    policy: `policy: lax\notherwise: ALLOW\nrules: [{id: never, when: 'false', verdict: BLOCK, reason: NEVER}]\n`,
  });
  const result = await fc.check(
    fc.asyncProperty(someRequest, async (request) => {
      const mistake = mistakeIn(request, await ask(lax, request));
      if (mistake?.startsWith('ALLOW for') === true) throw new Error(mistake);
    }),
    { ...fuzzRun(t, 500), endOnFailure: true },
  );
  t.ok(result.failed);
});
