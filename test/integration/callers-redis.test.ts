import t, { type Test } from 'tap';
import { writeApiKeys } from '../support/api-key-file.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { patienceOf } from '../support/start-service.ts';
import { createDirectory, createTestApp, startEmulators, type TestApp, until } from '../support/test-app.ts';

const GOOD = { telemetry_id: 'allow', device_id: 'active' };
/** Far more than a lost Redis may cost, and far less than waiting for it. */
const BOUND_MS = 400;

const emulators = await startEmulators(t);

async function open(
  t: Test,
  redis: RedisServer,
  requests: number,
  others: Readonly<Record<string, string>> = {},
): Promise<TestApp> {
  const file = writeApiKeys(createDirectory(t), [
    { id: 'limited', key: 'limited', limits: { requests, window_seconds: 3600 } },
    { id: 'free', key: 'free' },
  ]);
  const env = { API_KEYS_FILE: file, REDIS_URL: redis.url, ...others };
  const app = await createTestApp(t, { emulators, env });
  await untilUp(app, 1);
  return app;
}

const countOf = (app: TestApp, event: string) => app.events().filter((seen) => seen === event).length;
const untilUp = (app: TestApp, count: number) =>
  until('the stores of callers are up', () => countOf(app, 'caller_store.up') >= count);
const untilDown = (app: TestApp) =>
  until('the loss is noticed', () => countOf(app, 'caller_store.down') >= 1);
const statusOf = async (app: TestApp) => (await app.refused(GOOD, { key: 'limited' })).status;
const once = (key: string) => ({ key: 'free', headers: { 'idempotency-key': key } });

t.test('counts a caller on all replicas together', async (t) => {
  const redis = await startRedisServer(t);
  const [first, second] = [await open(t, redis, 20), await open(t, redis, 20)];
  const statuses = await Promise.all(
    Array.from({ length: 60 }, (_, place) => statusOf(place % 2 === 0 ? first : second)),
  );
  t.equal(
    statuses.filter((status) => status === 429).length + statuses.filter((status) => status === 200).length,
    60,
  );
  const passed = statuses.filter((status) => status === 200).length;
  // A reply that is later than its budget on a busy machine is counted in memory once more, never less.
  t.ok(passed >= 20 && passed <= 40, `${passed} passed`);
  t.equal(await statusOf(first), 429);
  t.equal(await statusOf(second), 429);
  const life = Number((await redis.command('PTTL riskgate:v1:requests:limited:3600000')).slice(1));
  t.ok(life > 3_000_000 && life <= 3_600_000, `${life} ms`);
});

/** Ways to lose Redis, and to have it back. */
const LOSSES = [
  ['killed', (redis: RedisServer) => redis.stop(), (redis: RedisServer) => redis.start()],
  ['frozen', (redis: RedisServer) => redis.pause(), (redis: RedisServer) => redis.resume()],
] as const;

for (const [what, lose, mend] of LOSSES) {
  t.test(
    `goes on limiting, replays nothing wrong and never answers 5xx while Redis is ${what}`,
    async (t) => {
      const redis = await startRedisServer(t);
      const app = await open(t, redis, 8);
      const before = await app.decide(GOOD, once('"k"'));
      await until('its answer is kept', async () => {
        return (await app.decide(GOOD, once('"k"'))).headers['idempotency-replayed'] === 'true';
      });
      for (let count = 0; count < 4; count += 1) t.equal(await statusOf(app), 200);
      await lose(redis);
      const startedAtMs = performance.now();
      const statuses = await Promise.all(Array.from({ length: 20 }, () => statusOf(app)));
      t.ok(performance.now() - startedAtMs < BOUND_MS, 'nobody waits for it');
      t.same(new Set(statuses), new Set([200, 429]));
      t.equal(statuses.filter((status) => status === 200).length, 4, 'from the last shared count on');
      await untilDown(app);
      const during = await app.decide(GOOD, once('"k"'));
      t.equal(during.status, 200);
      t.equal(during.headers['idempotency-replayed'], undefined);
      t.not(
        during.json.decision_id,
        before.json.decision_id,
        'decided again, and not replayed from anywhere',
      );
      t.ok(countOf(app, 'idempotency.unprotected') >= 1);
      await mend(redis);
      await untilUp(app, 2);
      t.ok([200, 429].includes(await statusOf(app)));
      const { status, json } = await app.decide(GOOD, once('"after"'));
      t.equal(status, 200);
      await until('answers are kept again', async () => {
        const again = await app.decide(GOOD, once('"after"'));
        return (
          again.headers['idempotency-replayed'] === 'true' && again.json.decision_id === json.decision_id
        );
      });
    },
  );
}

t.test(
  'replays on another replica what the first has answered, and tells it what is in flight',
  async (t) => {
    const redis = await startRedisServer(t);
    const patient = { ...patienceOf(10_000), REDIS_TIMEOUT_MS: '10000' };
    const [first, second] = [await open(t, redis, 1, patient), await open(t, redis, 1, patient)];
    const { json, text } = await first.decide(GOOD, once('"k"'));
    await until('the other replica replays', async () => {
      const again = await second.decide(GOOD, once('"k"'));
      return again.headers['idempotency-replayed'] === 'true' && again.text === text;
    });
    t.equal((await second.refused({ ...GOOD, action: 'other' }, once('"k"'))).status, 422);
    // Long enough to be seen under way by a busy machine.
    const body = { telemetry_id: 'fault-slow-2000', device_ids: {} };
    const slow = first.decide(body, once('"slow"'));
    await until('it is in flight', async () => (await second.refused(body, once('"slow"'))).status === 409);
    t.not((await slow).json.decision_id, json.decision_id);
  },
);

t.test('decides once for many retries at the same moment, on two replicas', async (t) => {
  const redis = await startRedisServer(t);
  const apps = [await open(t, redis, 1), await open(t, redis, 1)] as const;
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, place) => apps[place % 2 === 0 ? 0 : 1].decide(GOOD, once('"many"'))),
  );
  const statuses = new Set(answers.map(({ status }) => status));
  t.ok(
    [...statuses].every((status) => status === 200 || status === 409),
    [...statuses].join(),
  );
  const ids = new Set(answers.filter(({ status }) => status === 200).map(({ json }) => json.decision_id));
  const unprotected = apps.reduce((sum, app) => sum + countOf(app, 'idempotency.unprotected'), 0);
  t.ok(ids.size === 1 || unprotected > 0, `${ids.size} decisions`);
});

t.test('decides without protection where Redis has no room, or holds what is not ours', async (t) => {
  const redis = await startRedisServer(t);
  const app = await open(t, redis, 1);
  await app.decide(GOOD, once('"k"'));
  await until('its answer is kept', async () => {
    return (await app.decide(GOOD, once('"k"'))).headers['idempotency-replayed'] === 'true';
  });
  const keys = await redis.command('KEYS riskgate:v1:idempotency:*');
  const [key = ''] = /riskgate:\S+/.exec(keys) ?? [];
  t.match(key, /^riskgate:v1:idempotency:[0-9a-f]{32}$/, 'a keyed hash');
  const kept = await redis.command(['GET', key]);
  const ours = JSON.parse(kept.slice(kept.indexOf('{')).trim()) as object;
  for (const text of ['', 'nonsense', '[]', '{"fingerprint":1}', '{"fingerprint":"f","answer":{}}']) {
    await redis.command(['SET', key, text]);
    const { status, headers } = await app.decide(GOOD, once('"k"'));
    t.same([status, headers['idempotency-replayed']], [200, undefined], text);
  }
  for (const answer of [{ decisionId: 'd' }, { decisionId: 'd\n', body: '{}' }]) {
    await redis.command(['SET', key, JSON.stringify({ ...ours, answer })]);
    const { status, headers } = await app.decide(GOOD, once('"k"'));
    t.same([status, headers['idempotency-replayed']], [200, undefined], JSON.stringify(answer));
  }
  await redis.command(['CONFIG', 'SET', 'maxmemory', '1']);
  t.equal((await app.decide(GOOD, once('"new"'))).status, 200);
  t.equal(await statusOf(app), 200);
  t.equal(await statusOf(app), 429, 'counted in memory');
});

t.test('leaves no raw key, body or identifier in Redis', async (t) => {
  const redis = await startRedisServer(t);
  const app = await open(t, redis, 1);
  const body = {
    telemetry_id: 'allow',
    device_id: 'active',
    account_id: 'canary-account',
    ip: '203.0.113.97',
  };
  const seen = await redis.monitor(async () => {
    const options = { ...once('"canary-key"'), url: '/v1/decide?explain=full' };
    await app.decide(body, options);
    await until('its answer is kept', async () => {
      return (await app.decide(body, options)).headers['idempotency-replayed'] === 'true';
    });
  });
  t.match(seen, ':idempotency:', 'the traffic was looked at');
  t.notMatch(seen, 'canary');
  t.notMatch(seen, '203.0.113.97');
});
