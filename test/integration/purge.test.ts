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

interface PurgeBody {
  readonly purged: readonly string[];
}

const BODY = { telemetry_id: 'allow', device_id: 'active' };
const redis = await startRedisServer(t);

async function openMemory(t: Test): Promise<readonly [TestApp]> {
  return [await createTestApp(t)];
}

/** Two replicas of one service on one Redis. */
async function openReplicas(t: Test): Promise<readonly [TestApp, TestApp]> {
  await redis.restart();
  const emulators = await startEmulators(t);
  // Ample, so that a busy machine is not taken for a lost Redis, and custody not for unknown.
  const env = { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '2000', DECISION_DEADLINE_MS: '5000' };
  const here = await createTestApp(t, { emulators, env });
  const there = await createTestApp(t, { emulators, env });
  await Promise.all([untilRedisIsUp(here), untilRedisIsUp(there)]);
  return [here, there];
}

function purge(app: TestApp, query: string) {
  return app.ask<PurgeBody>('DELETE', `/v1/evidence?${query}`);
}

async function cacheStates(app: TestApp, body: object = BODY): Promise<readonly string[]> {
  const { json } = await app.decide(body);
  return [json.providers.stytch.cache, json.providers.mobilerun.cache, json.providers.prefactor.cache];
}

for (const [level, open] of [
  ['memory', openMemory],
  ['memory and Redis', openReplicas],
] as const) {
  t.test(`forgets a telemetry id in ${level}`, async (t) => {
    const [app] = await open(t);
    await app.decide(BODY);
    t.same(await cacheStates(app), ['hit', 'hit', 'hit']);
    const { status, json } = await purge(app, 'telemetry_id=allow');
    t.equal(status, 200);
    t.same(json, { purged: ['stytch'] });
    t.same(await cacheStates(app), ['miss', 'hit', 'hit']);
  });

  t.test(`forgets a device id in ${level}, whichever API it was asked of`, async (t) => {
    const [app] = await open(t);
    await app.decide(BODY);
    t.same((await purge(app, 'device_id=active')).json, { purged: ['mobilerun', 'prefactor'] });
    t.same(await cacheStates(app), ['hit', 'miss', 'miss']);
  });

  t.test(`forgets both ids in one request in ${level}, and no others`, async (t) => {
    const [app] = await open(t);
    await app.decide(BODY);
    await app.decide({ telemetry_id: 'minimal', device_id: 'minimal' });
    t.same((await purge(app, 'telemetry_id=allow&device_id=active')).json.purged.length, 3);
    t.same(await cacheStates(app), ['miss', 'miss', 'miss']);
    t.same(await cacheStates(app, { telemetry_id: 'minimal', device_id: 'minimal' }), ['hit', 'hit', 'hit']);
  });

  t.test(`forgets negative evidence in ${level}`, async (t) => {
    const [app] = await open(t);
    const body = { telemetry_id: 'nobody', device_id: 'nobody' };
    await app.decide(body);
    t.same(await cacheStates(app, body), ['hit', 'hit', 'hit']);
    await purge(app, 'telemetry_id=nobody&device_id=nobody');
    t.same(await cacheStates(app, body), ['miss', 'miss', 'miss']);
  });

  t.test(`neither caches nor shares a call in flight for a purged id, with ${level}`, async (t) => {
    const [app] = await open(t);
    const body = { telemetry_id: 'fault-slow-300', device_id: 'active' };
    const asked = () => app.emulators.callCount('stytch', 'fault-slow-300');
    const before = app.decide(body);
    await until('the first call is under way', () => asked() === 1);
    t.equal((await purge(app, 'telemetry_id=fault-slow-300')).status, 200);
    const after = app.decide(body);
    await until('the request after the purge asks again', () => asked() === 2);
    t.equal((await before).json.decision, 'ALLOW', 'who waited is answered');
    t.equal((await after).json.providers.stytch.cache, 'miss');
    t.equal(asked(), 2);
  });

  t.test(`does not cache what a purged call answers when nobody asks meanwhile, with ${level}`, async (t) => {
    const [app] = await open(t);
    const body = { telemetry_id: 'fault-slow-100', device_id: 'active' };
    const before = app.decide(body);
    await until('the call is under way', () => app.emulators.callCount('stytch', 'fault-slow-100') === 1);
    await purge(app, 'telemetry_id=fault-slow-100');
    await before;
    t.same(await cacheStates(app, body), ['miss', 'hit', 'hit']);
  });

  t.test(`purges what was never asked, and again what is gone, with ${level}`, async (t) => {
    const [app] = await open(t);
    for (const query of [
      'telemetry_id=never',
      'device_id=never',
      'device_id=never',
      'device_id=%F0%9F%98%80',
    ]) {
      t.equal((await purge(app, query)).status, 200, query);
    }
  });
}

t.test('shares evidence between replicas', async (t) => {
  const [here, there] = await openReplicas(t);
  await here.decide(BODY);
  await until('the other replica finds it', async () =>
    (await cacheStates(there)).every((state) => state === 'hit'),
  );
  t.ok(here.emulators.callCount('stytch', 'allow') <= 2);
});

t.test('forgets on the replica that did not get the request', async (t) => {
  const [here, there] = await openReplicas(t);
  await here.decide(BODY);
  await until('it is in memory there', async () =>
    (await cacheStates(there)).every((state) => state === 'hit'),
  );
  t.equal((await purge(here, 'telemetry_id=allow&device_id=active')).status, 200);
  await until('the other replica asks again', async () =>
    (await cacheStates(there)).every((state) => state === 'miss'),
  );
});

t.test('disowns calls in flight on the other replica', async (t) => {
  const [here, there] = await openReplicas(t);
  const body = { telemetry_id: 'fault-slow-400', device_id: 'active' };
  const before = there.decide(body);
  await until('the call is under way', () => there.emulators.callCount('stytch', 'fault-slow-400') === 1);
  await purge(here, 'telemetry_id=fault-slow-400');
  t.equal((await before).json.decision, 'ALLOW');
  t.equal((await there.decide(body)).json.providers.stytch.cache, 'miss');
  t.equal((await here.decide(body)).json.providers.stytch.cache, 'miss');
});

t.test('says so when a purge does not reach Redis, and purges memory all the same', async (t) => {
  const [here] = await openReplicas(t);
  await here.decide(BODY);
  await redis.stop();
  const { status, json, headers } = await here.ask<{ code: string }>(
    'DELETE',
    '/v1/evidence?telemetry_id=allow',
  );
  t.equal(status, 503);
  t.equal(json.code, 'store_unavailable');
  t.ok(headers['retry-after']);
  t.same((await cacheStates(here))[0], 'miss');
});

t.test('needs the scope admin, exactly one spelling, and at least one id', async (t) => {
  const app = await createTestApp(t);
  for (const key of [KEYS.decide, KEYS.read]) {
    t.equal((await app.ask('DELETE', '/v1/evidence?telemetry_id=x', { key })).status, 403);
  }
  t.equal((await app.ask('DELETE', '/v1/evidence?telemetry_id=x', { key: null })).status, 401);
  t.equal((await app.ask('DELETE', '/v1/evidence?telemetry_id=x', { key: KEYS.admin })).status, 200);
  const bad = [
    '',
    'telemetry_id=',
    'device_id=',
    'telemetry=x',
    'telemetry_id=x&all=1',
    'telemetry_id=x&telemetry_id=y',
  ];
  for (const query of [...bad, `device_id=${'x'.repeat(257)}`]) {
    const { status, json } = await app.ask<{ code: string }>('DELETE', `/v1/evidence?${query}`);
    t.equal(status, 400, query);
    t.equal(json.code, 'invalid_request');
  }
});
