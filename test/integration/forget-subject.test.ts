import { join } from 'node:path';
import t, { type Test } from 'tap';
import { HistoryReader } from '../../src/stores/decision-log/sqlite/history-reader.ts';
import { startRedisServer } from '../support/redis-server.ts';
import {
  createDirectory,
  createManualClock,
  createTestApp,
  KEYS,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const redis = await startRedisServer(t);
const BODY = { telemetry_id: 'allow', device_id: 'active', account_id: 'canary-account' };

interface DecisionList {
  readonly decisions: readonly { readonly subject: { readonly account: string } }[];
}

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

t.test('leaves decisions of days that have a summary as they are', async (t) => {
  const env = { DATA_DIR: createDirectory(t) };
  const clock = createManualClock(Date.parse('2026-03-10T12:00:00Z'));
  const emulators = await startEmulators(t);
  const first = await createTestApp(t, { clock, emulators, env });
  const listed = async () => (await first.ask<DecisionList>('GET', '/v1/decisions')).json.decisions;
  for (const serial of [1, 2, 3]) await first.decide({ ...BODY, telemetry_id: `allow-${serial}` });
  await until('they are recorded', async () => (await listed()).length === 3);
  clock.advance(24 * 3_600_000);
  await first.decide({ ...BODY, telemetry_id: 'allow-4' });
  await until('so is the next one', async () => (await listed()).length === 4);
  const account = (await listed())[0]?.subject.account;
  await first.close();
  const reader = new HistoryReader(join(env.DATA_DIR, 'history'));
  t.teardown(() => reader.close());
  t.equal(reader.summarise(), true, 'the first day is over');
  // It finds the summary when it opens the file.
  const app = await createTestApp(t, { clock, emulators, env });
  const urls = [
    '/v1/stats?since=2026-03-10T00:00:00Z&until=2026-03-11T00:00:00Z&step=1h',
    '/v1/stats?since=2026-03-10T00:00:00Z&until=2026-03-11T00:00:00Z&step=1h&group_by=country&distinct=true',
    `/v1/decisions?until=2026-03-11T00:00:00Z&account=%23${account}`,
    `/v1/subjects/account/${account}`,
  ];
  const askAll = () => Promise.all(urls.map(async (url) => (await app.ask<object>('GET', url)).text));
  const before = await askAll();
  t.match(before[0], '"total":3');
  t.equal((JSON.parse(before[2] ?? '') as DecisionList).decisions.length, 3);
  t.match((await forget(app, 'account_id=canary-account')).json, { forgotten: { evidence: null } });
  t.equal((await app.ask('DELETE', '/v1/evidence?device_id=active')).status, 200);
  await until('the record', async () =>
    (await app.ask<string>('GET', '/v1/decisions/export')).text.includes('subject_forgotten'),
  );
  t.same(await askAll(), before);
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
