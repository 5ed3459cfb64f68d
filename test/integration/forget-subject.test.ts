import t, { type Test } from 'tap';
import { startRedisServer } from '../support/redis-server.ts';
import {
  createTestApp,
  KEYS,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const redis = await startRedisServer(t);
const BODY = { telemetry_id: 'allow', device_id: 'active', account_id: 'canary-account' };

async function openMemory(t: Test): Promise<readonly [TestApp, TestApp]> {
  const app = await createTestApp(t);
  return [app, app];
}

/** Two replicas of one service on one Redis. */
async function openReplicas(t: Test): Promise<readonly [TestApp, TestApp]> {
  await redis.restart();
  const emulators = await startEmulators(t);
  const env = { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '2000', DECISION_DEADLINE_MS: '5000' };
  const here = await createTestApp(t, { emulators, env });
  const there = await createTestApp(t, { emulators, env });
  await Promise.all([untilRedisIsUp(here), untilRedisIsUp(there)]);
  return [here, there];
}

function forget(app: TestApp, query: string, key: string = KEYS.admin) {
  return app.ask<{ forgotten: Record<string, number | null> }>('DELETE', `/v1/subjects?${query}`, { key });
}

const isReplayed = async (app: TestApp, body: object) =>
  (await app.decide(body)).json.reasons.some(({ code }) => code === 'TELEMETRY_REPLAYED');

for (const [where, open] of [
  ['one process', openMemory],
  ['two replicas', openReplicas],
] as const) {
  t.test(`forgets who used a telemetry id first, and what is cached of it, in ${where}`, async (t) => {
    const [here, there] = await open(t);
    await here.decide(BODY);
    t.equal(await isReplayed(there, { ...BODY, account_id: 'other' }), true);
    const { status, json, headers } = await forget(here, 'telemetry_id=ALLOW&account_id=canary-account');
    t.equal(status, 200);
    t.equal(headers['cache-control'], 'no-store');
    t.match(json, { forgotten: { evidence: null, custody: 1 } });
    t.equal(await isReplayed(there, { ...BODY, account_id: 'other' }), false, 'the next use is a first use');
    t.match((await forget(there, 'telemetry_id=unseen')).json, { forgotten: { custody: 0 } });
  });

  t.test(`says that a step-up was forgotten, in ${where}`, async (t) => {
    const [here, there] = await open(t);
    const told = await here.decide(BODY, { url: '/v1/step-ups' });
    t.equal(told.status, 200);
    t.match((await forget(there, 'account_id=canary-account')).json, { forgotten: { step_ups: 1 } });
    t.match((await forget(here, 'account_id=canary-account')).json, { forgotten: { step_ups: 0 } });
  });
}

t.test('records who had a subject forgotten, without its ids', async (t) => {
  const [app] = await openMemory(t);
  await forget(app, 'device_id=canary-device');
  const found = async () => (await app.ask<string>('GET', '/v1/decisions/export')).text;
  await until('the record', async () => (await found()).includes('subject_forgotten'));
  const [record] = (await found()).split('\n').map((line) => JSON.parse(line || '{}'));
  t.match(record, {
    kind: 'event',
    caller: 'admin',
    subject: { device: /^[0-9a-f]{32}$/, telemetry: null, account: null },
  });
  t.notMatch((await found()) + app.logText(), /canary-device/);
});

t.test('asks for an id, and for the scope admin', async (t) => {
  const [app] = await openMemory(t);
  const refused = await forget(app, 'lists=true');
  t.match(refused, { status: 400, json: { detail: /at least one of telemetry_id, device_id, account_id/ } });
  t.equal((await forget(app, 'device_id=')).status, 400);
  t.equal((await forget(app, 'device=x')).status, 400);
  for (const key of [KEYS.decide, KEYS.read]) t.equal((await forget(app, 'device_id=x', key)).status, 403);
});

t.test('says so when other replicas may still know it', async (t) => {
  const [here] = await openReplicas(t);
  redis.pause();
  const { status, json } = await forget(here, 'telemetry_id=allow');
  redis.resume();
  t.equal(status, 503);
  t.match(json, { code: 'store_unavailable', detail: /evidence, custody, step_ups may still be known/ });
});
