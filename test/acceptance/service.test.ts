import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { findService } from './service.ts';

interface Decision {
  readonly decision_id: string;
  readonly decision: string;
  readonly degraded: boolean;
  readonly reasons: readonly { readonly code: string }[];
  readonly providers: Readonly<Record<string, { readonly outcome: string; readonly cache: string }>>;
}

const { url, key } = await findService(t);

async function ask(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { 'x-api-key': key, ...(init.headers as Record<string, string> | undefined) };
  return fetch(url + path, { ...init, method, headers, redirect: 'manual' });
}

function post(body: unknown, headers: Record<string, string> = {}, path = '/v1/decide'): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ask('POST', path, { body: text, headers: { 'content-type': 'application/json', ...headers } });
}

async function decide(body: object): Promise<Decision> {
  const response = await post(body);
  t.equal(response.status, 200);
  return (await response.json()) as Decision;
}

const VERDICTS = [
  ['ALLOW', { telemetry_id: 'allow', device_id: 'active' }],
  [
    'ALLOW',
    { telemetry_id: '026ac93b-8cdf-4fcb-bfa6-36a31cfecac1', device_id: '013xrzp12g3nqk8nyvk0xwzcb2gzp8z1' },
  ],
  ['CHALLENGE', { telemetry_id: 'challenge', device_id: 'active' }],
  ['CHALLENGE', { telemetry_id: 'unknown-action', device_id: 'active' }],
  ['CHALLENGE', { telemetry_id: 'allow', device_id: 'unsupported' }],
  ['CHALLENGE', { telemetry_id: 'fault-500', device_id: 'active' }],
  ['BLOCK', { telemetry_id: 'block', device_id: 'active' }],
  ['BLOCK', { telemetry_id: 'allow', device_id: 'revoked' }],
  ['BLOCK', { telemetry_id: 'nobody', device_id: 'active' }],
  ['BLOCK', { telemetry_id: 'allow', device_id: 'nobody' }],
  ['BLOCK', { telemetry_id: null, device_id: 'active' }],
  ['BLOCK', {}],
] as const;

for (const [verdict, body] of VERDICTS) {
  t.test(`answers ${verdict} to ${JSON.stringify(body)}`, async (t) => {
    t.equal((await decide(body)).decision, verdict);
  });
}

t.test('answers within its deadline while an upstream hangs', async (t) => {
  const body = { telemetry_id: 'fault-hang', device_id: 'active', deadline_ms: 200 };
  const startedAtMs = performance.now();
  const { decision, degraded, providers } = await decide(body);
  t.ok(performance.now() - startedAtMs < 2_000);
  t.equal(decision, 'CHALLENGE');
  t.equal(degraded, true);
  t.equal(providers['stytch']?.outcome, 'timeout');
});

t.test('identifies requests and decisions in its headers', async (t) => {
  const response = await post(
    { telemetry_id: 'allow', device_id: 'active' },
    { 'x-request-id': 'acceptance-1' },
  );
  const { decision_id: id } = (await response.json()) as Decision;
  t.equal(response.headers.get('x-request-id'), 'acceptance-1');
  t.equal(response.headers.get('x-decision-id'), id);
  t.equal(response.headers.get('cache-control'), 'no-store');
  t.match(response.headers.get('server-timing'), /^decide;dur=/);
});

t.test('caches evidence until it is purged', async (t) => {
  const body = { telemetry_id: 'minimal', device_id: 'minimal' };
  await decide(body);
  t.equal((await decide(body)).providers['stytch']?.cache, 'hit');
  const purged = await ask('DELETE', '/v1/evidence?telemetry_id=minimal');
  t.equal(purged.status, 200);
  t.equal((await decide(body)).providers['stytch']?.cache, 'miss');
});

t.test('explains a decision to who may read', async (t) => {
  const response = await post({ telemetry_id: 'block' }, {}, '/v1/decide?explain=full');
  t.match(await response.json(), { explanation: { signals: { stytch: { action: 'BLOCK' } }, rules: Array } });
});

/** What is refused, and how. */
const REFUSALS: readonly (readonly [string, number, () => Promise<Response>])[] = [
  ['an unknown field', 400, () => post({ nonsense: 1 })],
  ['broken JSON', 400, () => post('{')],
  ['no key', 401, () => post({}, { 'x-api-key': '' })],
  ['a wrong key', 401, () => post({}, { 'x-api-key': 'wrong' })],
  ['an unknown address', 404, () => ask('GET', '/nowhere')],
  ['a wrong method', 405, () => ask('GET', '/v1/decide')],
  ['a body that is too large', 413, () => post(`"${'x'.repeat(17_000)}"`)],
  ['another content type', 415, () => post('<a/>', { 'content-type': 'application/xml' })],
];

for (const [what, status, send] of REFUSALS) {
  t.test(`refuses ${what} with ${status} and a problem document`, async (t) => {
    const response = await send();
    t.equal(response.status, status);
    t.match(response.headers.get('content-type'), /^application\/problem\+json/);
    t.match(await response.json(), { status, code: String, request_id: String, title: String });
  });
}

t.test('answers its health checks and describes itself', async (t) => {
  for (const path of ['/livez', '/readyz', '/version', '/openapi.json', '/v1/policy']) {
    t.equal((await ask('GET', path)).status, 200, path);
  }
  const docs = await ask('GET', '/docs');
  t.ok(docs.status === 200 || docs.status === 302);
});

t.test('is tested from outside only', async (t) => {
  const names = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.ts'));
  t.ok(names.length >= 2);
  for (const name of names)
    t.notMatch(readFileSync(new URL(name, import.meta.url), 'utf8'), /from '[^']*\/src\//, name);
});
