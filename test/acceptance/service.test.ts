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

const run = Date.now();
let serial = 0;

/** A telemetry id of this kind that no device has used yet, whatever the service was asked before. */
function fresh(kind: string): string {
  serial += 1;
  return `${kind}-${run}-${serial}`;
}

/** Verdict, kind of telemetry id, device id, and a reason for the verdict; ALLOW needs none. */
const VERDICTS = [
  ['ALLOW', 'allow', 'active', null],
  ['ALLOW', 'minimal', '013xrzp12g3nqk8nyvk0xwzcb2gzp8z1', null],
  ['CHALLENGE', 'challenge', 'active', 'STYTCH_CHALLENGE'],
  ['CHALLENGE', 'unknown-action', 'active', 'STYTCH_ACTION_UNKNOWN'],
  ['CHALLENGE', 'allow', 'unsupported', 'DEVICE_UNSUPPORTED'],
  ['CHALLENGE', 'fault-flaky-2', 'active', 'TELEMETRY_NOT_FOUND'],
  ['BLOCK', 'block', 'active', 'STYTCH_BLOCK'],
  ['BLOCK', 'allow', 'revoked', 'DEVICE_REVOKED'],
  ['BLOCK', 'nobody', 'active', 'TELEMETRY_NOT_FOUND'],
  ['BLOCK', 'allow', 'nobody', 'DEVICE_NOT_FOUND'],
  ['BLOCK', null, 'active', 'TELEMETRY_MISSING'],
  ['BLOCK', null, null, 'DEVICE_MISSING'],
] as const;

for (const [verdict, kind, deviceId, reason] of VERDICTS) {
  t.test(`answers ${verdict} to telemetry of the kind ${kind} with device ${deviceId}`, async (t) => {
    const body = { telemetry_id: kind === null ? null : fresh(kind), device_id: deviceId };
    const { decision, reasons } = await decide(body);
    t.equal(decision, verdict);
    t.equal(reasons.length > 0, reason !== null);
    if (reason !== null)
      t.ok(
        reasons.some(({ code }) => code === reason),
        reason,
      );
  });
}

t.test('answers the ids of the references, as often as the same subject asks', async (t) => {
  const sample = {
    telemetry_id: '026ac93b-8cdf-4fcb-bfa6-36a31cfecac1',
    device_id: '013xrzp12g3nqk8nyvk0xwzcb2gzp8z1',
  };
  for (const body of [sample, { telemetry_id: 'allow', device_id: 'active' }]) {
    for (let round = 0; round < 2; round += 1) {
      const { reasons } = await decide(body);
      // A service that runs for more than an hour has seen them before.
      t.same(
        reasons.filter(({ code }) => code !== 'TELEMETRY_STALE'),
        [],
      );
    }
  }
});

t.test('blocks a telemetry id that another device or account has used, and not the first', async (t) => {
  const first = { telemetry_id: fresh('allow'), device_id: 'active', account_id: 'acct_1' };
  t.equal((await decide(first)).decision, 'ALLOW');
  for (const other of [{ device_id: 'minimal' }, { account_id: 'acct_2' }]) {
    const { decision, degraded, reasons } = await decide({ ...first, ...other });
    t.same([decision, degraded, ...reasons.map(({ code }) => code)], ['BLOCK', false, 'TELEMETRY_REPLAYED']);
  }
  t.equal((await decide(first)).decision, 'ALLOW');
});

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
  const body = { telemetry_id: fresh('minimal'), device_id: 'minimal' };
  await decide(body);
  t.equal((await decide(body)).providers['stytch']?.cache, 'hit');
  const purged = await ask('DELETE', `/v1/evidence?telemetry_id=${body.telemetry_id}`);
  t.equal(purged.status, 200);
  t.equal((await decide(body)).providers['stytch']?.cache, 'miss');
});

t.test('explains a decision to who may read', async (t) => {
  const response = await post({ telemetry_id: fresh('block') }, {}, '/v1/decide?explain=full');
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
