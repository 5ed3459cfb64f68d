import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { writeApiKeys } from '../support/api-key-file.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { parseScrape, readValue, type Scrape } from '../support/scrape.ts';
import { patienceOf } from '../support/start-service.ts';
import {
  createDirectory,
  createTestApp,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const GOOD = { telemetry_id: 'allow', device_id: 'active' };

const emulators = await startEmulators(t);

async function scrape(app: TestApp): Promise<Scrape> {
  return parseScrape((await app.ask('GET', '/metrics', { key: null })).text);
}

t.test('answers without a key, in the text format, not to be stored', async (t) => {
  const app = await createTestApp(t, { emulators });
  const { status, headers } = await app.ask('GET', '/metrics', { key: null });
  t.equal(status, 200);
  t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.equal(headers['cache-control'], 'no-store');
});

t.test('is not there when it is off', async (t) => {
  const app = await createTestApp(t, { emulators, env: { METRICS: 'off' } });
  t.equal((await app.decide(GOOD)).status, 200);
  t.equal((await app.ask('GET', '/metrics', { key: null })).status, 404);
});

t.test('follows decisions, calls and reads of the cache', async (t) => {
  const app = await createTestApp(t, { emulators });
  await app.decide(GOOD);
  await app.decide(GOOD);
  await app.decide({ telemetry_id: 'error-500-internal_server_error', device_id: 'active' });
  const found = await scrape(app);
  t.equal(readValue(found, 'riskgate_decisions_total', { decision: 'ALLOW', degraded: 'false' }), 2);
  t.equal(readValue(found, 'riskgate_decisions_total', { decision: 'CHALLENGE', degraded: 'true' }), 1);
  t.equal(readValue(found, 'riskgate_decision_seconds_count'), 3);
  t.equal(readValue(found, 'riskgate_provider_calls_total', { provider: 'stytch', outcome: 'ok' }), 1);
  t.equal(
    readValue(found, 'riskgate_provider_calls_total', { provider: 'stytch', outcome: 'unavailable' }),
    1,
  );
  t.equal(readValue(found, 'riskgate_provider_call_seconds_count', { provider: 'mobilerun' }), 1);
  t.equal(readValue(found, 'riskgate_cache_reads_total', { level: 'memory', result: 'hit' }), 5);
  t.equal(readValue(found, 'riskgate_cache_reads_total', { level: 'memory', result: 'miss' }), 4);
  t.equal(readValue(found, 'riskgate_redis_state', { state: 'absent' }), 1);
  t.equal(readValue(found, 'riskgate_lists_state', { state: 'current' }), 1);
  t.equal(readValue(found, 'riskgate_lists_state', { state: 'stale' }), 0);
  t.equal(readValue(found, 'riskgate_build_info', { version: '0.0.0-test' }), 1);
});

t.test('counts what custody finds, once for each decision about a telemetry id', async (t) => {
  const app = await createTestApp(t, { emulators });
  await app.decide(GOOD);
  await app.decide(GOOD);
  await app.decide({ ...GOOD, device_id: 'revoked' });
  await app.decide({ device_id: 'active' });
  const found = await scrape(app);
  for (const [result, count] of Object.entries({ first_use: 1, repeated: 1, bound_elsewhere: 1, unknown: 0 }))
    t.equal(readValue(found, 'riskgate_custody_results_total', { result }), count, result);
});

t.test('counts custody as unknown while Redis is lost', async (t) => {
  const app = await createTestApp(t, { emulators, env: { REDIS_URL: 'redis://127.0.0.1:1' } });
  await app.decide(GOOD);
  const found = await scrape(app);
  t.equal(readValue(found, 'riskgate_custody_results_total', { result: 'unknown' }), 1);
  t.equal(readValue(found, 'riskgate_lists_state', { state: 'loading' }), 1);
  t.equal(readValue(found, 'riskgate_custody_results_total', { result: 'first_use' }), 0);
});

t.test('counts what no route has seen', async (t) => {
  const app = await createTestApp(t, { emulators });
  t.equal((await app.ask('GET', '/%')).status, 400);
  const socket = connect(await app.listen(), '127.0.0.1');
  socket.end('nonsense\r\n\r\n');
  t.match(await text(socket), /^HTTP\/1\.1 400 /);
  t.equal(readValue(await scrape(app), 'riskgate_refusals_total', { code: 'invalid_request' }), 2);
});

t.test('counts refusals by the code that the caller reads', async (t) => {
  const app = await createTestApp(t, { emulators });
  await app.refused(GOOD, { key: null });
  await app.refused('{');
  await app.refused({ telemetry_id: 1 });
  await app.ask('GET', '/nowhere');
  await app.ask('PUT', '/v1/decide');
  const found = await scrape(app);
  for (const code of [
    'unauthenticated',
    'malformed_body',
    'invalid_request',
    'not_found',
    'method_not_allowed',
  ]) {
    t.equal(readValue(found, 'riskgate_refusals_total', { code }), 1, code);
  }
  t.equal(readValue(found, 'riskgate_refusals_total', { code: 'internal' }), 0);
});

t.test('counts what limits, retries and overload refuse', async (t) => {
  const limits = { requests: 3, window_seconds: 60 };
  const directory = createDirectory(t);
  const API_KEYS_FILE = writeApiKeys(directory, [
    { id: 'limited', key: 'limited', limits },
    { id: 'free', key: 'free' },
  ]);
  const env = { API_KEYS_FILE, MAX_IN_FLIGHT: '1', DECISION_DEADLINE_MS: '500' };
  const app = await createTestApp(t, { emulators, env });
  const keyed = { key: 'free', headers: { 'idempotency-key': '"k"' } };
  const limited = { key: 'limited' };
  await app.decide(GOOD, keyed);
  await app.refused({ telemetry_id: 'challenge' }, keyed);
  for (let asked = 0; asked <= limits.requests; asked += 1) await app.refused(GOOD, limited);
  const held = app.decide({ telemetry_id: 'fault-hang', device_ids: {} }, { key: 'free' });
  let overloaded = 0;
  await until('it is in flight', async () => {
    const { status } = await app.refused(GOOD, { key: 'free' });
    if (status === 503) overloaded += 1;
    return status === 503;
  });
  await held;
  const found = await scrape(app);
  for (const [code, count] of [
    ['idempotency_mismatch', 1],
    ['rate_limited', 1],
    ['overloaded', overloaded],
  ] as const) {
    t.equal(readValue(found, 'riskgate_refusals_total', { code }), count, code);
  }
  const holding = { key: 'free', headers: { 'idempotency-key': '"other"' } };
  const hanging = { telemetry_id: 'fault-hang', device_ids: {}, max_age_ms: 0 };
  const spacious = await createTestApp(t, { emulators, env: { ...env, MAX_IN_FLIGHT: '8' } });
  const both = await Promise.all([spacious.refused(hanging, holding), spacious.refused(hanging, holding)]);
  t.same(new Set(both.map(({ status }) => status)), new Set([200, 409]));
  t.equal(readValue(await scrape(spacious), 'riskgate_refusals_total', { code: 'conflict' }), 1);
});

t.test('names only the policy in force, before and after a reload', async (t) => {
  const policy = (id: string) =>
    `policy: ${id}\notherwise: ALLOW\nrules:\n  - {id: r, when: '!stytch.found', verdict: BLOCK, reason: R}\n`;
  const app = await createTestApp(t, { emulators, policy: policy('first') });
  const [before, ...none] = (await scrape(app)).get('riskgate_policy_info') ?? [];
  t.match(before, { labels: { policy: 'first', hash: /./ }, value: 1 });
  t.equal(none.length, 0);
  writeFileSync(app.policyFile, policy('second'));
  await until('the policy is reloaded', () => app.events().includes('policy.reloaded'));
  const [after, ...others] = (await scrape(app)).get('riskgate_policy_info') ?? [];
  t.match(after, { labels: { policy: 'second' }, value: 1 });
  t.not(after?.labels['hash'], before?.labels['hash']);
  t.equal(others.length, 0);
});

t.test('tells the levels of the cache apart, and shows Redis up and down', async (t) => {
  const redis = await startRedisServer(t);
  // What Redis answers late, on a busy machine, is another matter.
  const env = { ...patienceOf(10_000), REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '10000' };
  const first = await createTestApp(t, { emulators, env });
  await untilRedisIsUp(first);
  await first.decide(GOOD);
  const second = await createTestApp(t, { emulators, env });
  await untilRedisIsUp(second);
  await second.decide(GOOD);
  await second.decide(GOOD);
  const found = await scrape(second);
  const reads = (level: string, result: string) =>
    readValue(found, 'riskgate_cache_reads_total', { level, result });
  t.equal(readValue(found, 'riskgate_redis_state', { state: 'up' }), 1);
  t.strictSame([reads('memory', 'hit'), reads('memory', 'miss')], [3, 3]);
  t.strictSame([reads('redis', 'hit'), reads('redis', 'miss'), reads('redis', 'skipped')], [3, 0, 0]);
  await redis.stop();
  await until('Redis is down', () => second.events().includes('redis.down'));
  await second.decide({ telemetry_id: 'minimal', device_id: 'minimal' });
  const lost = await scrape(second);
  t.equal(readValue(lost, 'riskgate_redis_state', { state: 'down' }), 1);
  t.equal(readValue(lost, 'riskgate_redis_state', { state: 'up' }), 0);
  t.equal(readValue(lost, 'riskgate_cache_reads_total', { level: 'redis', result: 'skipped' }), 3);
  t.type(readValue(lost, 'riskgate_redis_failures_total', { kind: 'timeout' }), 'number');
});
