import { Redis } from 'ioredis';
import t from 'tap';
import { createEmulatorServer } from '../../src/emulators/server.ts';
import { formerKeyIdOf, keyIdOf } from '../../src/platform/keyed-hash.ts';
import { startRedisServer } from '../support/redis-server.ts';
import {
  createServiceEnvironment,
  type RunningService,
  SERVICE_KEY,
  startService,
} from '../support/start-service.ts';
import { createDirectory, until } from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';
import { writeWaivingPolicy } from '../support/waive-memory.ts';

const [OLD, NEW, FOREIGN] = ['Xq7-old-hash-key', 'mB2-new-hash-key', 'zK9-foreign-hash-key'].map((key) =>
  key.padEnd(40, 'vR3tYw8'),
) as [string, string, string];
const CLOCK_SLACK_MS = 6_000;

interface Told {
  readonly decision: string;
  readonly decision_id: string;
  readonly providers: { readonly stytch: { readonly cache: string } };
}

const redis = await startRedisServer(t);
const emulators = createEmulatorServer({ providers: VENDORS });
const upstream = await emulators.app.listen({ host: '127.0.0.1', port: 0 });
t.teardown(() => emulators.app.close());
const { ID_HASH_KEY: _, ...common } = createServiceEnvironment(t, upstream);
// What is known of hardware begins again with a key, and would challenge every owner.
const POLICY_FILE = writeWaivingPolicy(createDirectory(t));

async function start(...keys: readonly string[]): Promise<RunningService> {
  return startWith({}, ...keys);
}

async function startWith(
  env: Readonly<Record<string, string>>,
  ...keys: readonly string[]
): Promise<RunningService> {
  const service = await startService(t, {
    ...common,
    POLICY_FILE,
    ...env,
    ...(keys.length === 1 ? { ID_HASH_KEY: keys[0] ?? '' } : { ID_HASH_KEYS: keys.join(',') }),
    REDIS_URL: redis.url,
    REDIS_TIMEOUT_MS: '2000',
    DECISION_DEADLINE_MS: '10000',
    EVENT_LOOP_DELAY_MAX_MS: '0',
    STYTCH_TIMEOUT_MS: '10000',
    CACHE_LOCAL_TTL_SECONDS: '0',
    DECISION_LOG: 'redis',
    DECISION_LOG_TIMEOUT_MS: '2000',
  });
  await until('Redis is up', async () => (await problemOf(service)).redis === 'up');
  return service;
}

async function stop(service: RunningService): Promise<void> {
  service.child.kill('SIGTERM');
  await service.ended;
}

async function problemOf({ origin }: RunningService) {
  return (await (await fetch(`${origin}/readyz`)).json()) as {
    redis: string;
    redis_problem: { code: string; hint: string } | null;
  };
}

async function send<Body>(
  { origin }: RunningService,
  method: string,
  path: string,
  body?: object,
): Promise<Body> {
  const headers = { 'x-api-key': SERVICE_KEY, ...(body && { 'content-type': 'application/json' }) };
  const response = await fetch(origin + path, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Body;
}

const ask = (service: RunningService, telemetry_id: string, device_id: string) =>
  send<Told>(service, 'POST', '/v1/decide', { telemetry_id, device_id: `fault-slow-0-${device_id}` });
const verdictOf = async (service: RunningService, id: string, device: string) =>
  (await ask(service, id, device)).decision;

/** Until when bindings were written by whoever knows the old key alone. */
async function lastWrittenByOldAlone(): Promise<number> {
  const client = new Redis(redis.url);
  const groups = await client.keys('*:custody-began:*');
  const texts = await Promise.all(groups.map((group) => client.get(group)));
  client.disconnect();
  const times = texts.flatMap((text) => [
    ...(text ?? '').matchAll(new RegExp(` ${keyIdOf(OLD)}=(\\d+)`, 'g')),
  ]);
  return Math.max(...times.map(([, at]) => Number(at)));
}

let serial = 0;
const fresh = () => `just-taken-rotation-${serial++}`;

t.test('keeps every binding through a change of the hash key, step by step on two replicas', async (t) => {
  let [left, right] = [await start(OLD), await start(OLD)];
  const held: string[] = [];
  /** Both replicas tell who holds ids that were bound before, and ids that either of them binds now. */
  const check = async (step: string) => {
    const young = [fresh(), fresh()] as const;
    t.equal(await verdictOf(left, young[0], 'owner'), 'ALLOW', `${step}: the first use at one`);
    t.equal(await verdictOf(right, young[1], 'owner'), 'ALLOW', `${step}: and at the other`);
    held.push(...young);
    for (const id of held)
      for (const replica of [left, right]) {
        t.equal(await verdictOf(replica, id, 'thief'), 'BLOCK', `${step}: a replay of ${id}`);
        t.equal(await verdictOf(replica, id, 'owner'), 'ALLOW', `${step}: the owner of ${id}`);
      }
    t.equal((await problemOf(left)).redis_problem, null, step);
  };
  await check('the old key everywhere');

  await stop(left);
  left = await start(OLD, NEW);
  await check('the new key known to one');
  await stop(right);
  right = await start(OLD, NEW);
  await check('the new key known to both');

  const lastMs = await lastWrittenByOldAlone();
  await until(
    'ids are younger than the last use under the old key alone',
    () => Date.now() > lastMs + CLOCK_SLACK_MS,
  );
  held.length = 0;
  await stop(left);
  left = await start(NEW, OLD);
  await check('the new key in force at one');

  const purged = held[0] ?? '';
  t.equal((await ask(right, purged, 'owner')).providers.stytch.cache, 'hit');
  await send(left, 'DELETE', `/v1/evidence?telemetry_id=${purged}`);
  t.equal(
    (await ask(right, purged, 'owner')).providers.stytch.cache,
    'miss',
    'a purge reaches the other key',
  );

  await stop(right);
  right = await start(NEW, OLD);
  await check('the new key in force at both');
  const of = (id: string) => `/v1/decisions?telemetry_id=${id}&limit=100`;
  // The log of the other replica is a moment behind its answers.
  await until('ten decisions are found, under both keys', async () => {
    const list = await send<{ decisions: { decision_id: string }[] }>(left, 'GET', of(held[0] ?? ''));
    return list.decisions.length >= 10;
  });

  await stop(left);
  left = await start(NEW);
  for (const id of held) {
    t.equal(await verdictOf(left, id, 'thief'), 'BLOCK', 'the old key is gone at one');
    t.equal(await verdictOf(left, id, 'owner'), 'ALLOW', 'and the owner goes on');
  }
  t.match((await problemOf(left)).redis_problem, { code: 'UNKNOWN_ID_HASH_KEY' }, 'it was dropped too early');

  const foreign = await start(FOREIGN);
  for (const id of held) t.equal(await verdictOf(foreign, id, 'thief'), 'CHALLENGE', 'never a first use');
  t.match((await problemOf(foreign)).redis_problem, { code: 'UNKNOWN_ID_HASH_KEY' });
  t.ok(await foreign.until(/"event":"custody\.unknown_key"/));
});

t.test('challenges what an earlier release bound, whose hashes are found no more', async (t) => {
  const client = new Redis(redis.url);
  const untilMs = Date.now() + 600_000;
  for (let group = 0; group < 256; group += 1)
    await client.set(
      `earlier:v2:custody-began:{${group.toString(16).padStart(2, '0')}}`,
      `a-generation 0 ${formerKeyIdOf(OLD)}=${untilMs}`,
    );
  client.disconnect();
  const service = await startWith({ REDIS_KEY_PREFIX: 'earlier' }, OLD);
  t.equal(await verdictOf(service, fresh(), 'thief'), 'CHALLENGE', 'never a first use');
  const { redis_problem: problem } = await problemOf(service);
  t.match(problem, { code: 'UNKNOWN_ID_HASH_KEY', hint: /one of ours as an earlier release used it/ });
  t.notMatch(problem, /add it to ID_HASH_KEYS/);
});
