import t, { type Test } from 'tap';
import { startRedisServer } from '../support/redis-server.ts';
import { patienceOf } from '../support/start-service.ts';
import {
  createManualClock,
  createTestApp,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const HOUR_MS = 3_600_000;
const [OLD, YOUNG] = ['an-older-key-of-32-characters-000', 'a-younger-key-of-32-characters-00'];
const PATIENT = { ...patienceOf(10_000), REDIS_TIMEOUT_MS: '10000' };

const emulators = await startEmulators(t);
const redis = await startRedisServer(t);
let serial = 0;

/** The service with the default policy. */
async function open(t: Test, env: Readonly<Record<string, string>>, clock = createManualClock()) {
  const app = await createTestApp(t, { emulators, env: { ...PATIENT, ...env }, clock });
  if (env['REDIS_URL'] !== undefined) await untilRedisIsUp(app);
  return app;
}

/** A new page of somebody with an account, a phone that all providers know and an address. */
async function logIn(app: TestApp, account = 'acct_1') {
  serial += 1;
  const body = {
    telemetry_id: `allow-${serial}`,
    device_id: 'active',
    account_id: account,
    ip: '203.0.113.7',
  };
  const { json } = await app.decide(body);
  return json;
}

const ORDINARY = { decision: 'ALLOW', degraded: false, reasons: [], waivers: [] };

t.test('lets an ordinary user in on the first day, and again', async (t) => {
  for (const env of [{}, { REDIS_URL: redis.url, REDIS_KEY_PREFIX: 'fresh' }]) {
    const app = await open(t, env);
    for (let turn = 0; turn < 3; turn += 1) t.match(await logIn(app), ORDINARY);
    t.match(await logIn(app, 'acct_2'), ORDINARY, 'another account of the family');
  }
});

t.test('lets ordinary users in while the hash key is changed', async (t) => {
  const under = (keys: readonly string[]) => ({
    REDIS_URL: redis.url,
    REDIS_KEY_PREFIX: 'keys',
    ID_HASH_KEY: '',
    ID_HASH_KEYS: keys.join(','),
  });
  for (const keys of [[OLD], [OLD, YOUNG], [YOUNG, OLD]]) {
    const app = await open(t, under(keys));
    for (let turn = 0; turn < 2; turn += 1) t.match(await logIn(app), ORDINARY);
  }
});

t.test('lets ordinary users in again a day after Redis came back empty', async (t) => {
  const clock = createManualClock(Date.now() - 22 * HOUR_MS);
  const app = await open(t, { REDIS_URL: redis.url }, clock);
  await logIn(app);
  await redis.command('FLUSHALL');
  await until('the loss is found', async () => {
    await logIn(app);
    return app.events().includes('custody.lost');
  });
  // Until then it would be a loss of later.
  const groups = async () => (await redis.command('KEYS *')).split(':custody-began:').length - 1;
  await until('it is noted in each of 256 groups', async () => (await groups()) === 256);
  const { decision, reasons } = await logIn(app);
  t.equal(decision, 'CHALLENGE');
  const codes = reasons.map(({ code }) => code);
  t.notOk(codes.includes('NEW_DEVICE') || codes.includes('IDENTITY_REUSED'), codes.join());
  t.ok(codes.includes('DEVICE_MANY_ACCOUNTS'), 'an hour is not known');
  clock.advance(22 * HOUR_MS);
  // Lists were not asked for during those hours.
  const hearsLists = async () => !(await logIn(app)).reasons.some(({ code }) => code === 'LISTED_BLOCKED');
  await until('changes of lists are heard', hearsLists);
  // What is read of the whole month is not known, and decides nothing alone.
  const allowed = { ...ORDINARY, degraded: true };
  t.match(await logIn(app), allowed, 'who was known before');
  t.match(await logIn(app, 'acct_2'), allowed, 'who was not');
});
