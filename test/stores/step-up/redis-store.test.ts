import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createRedisGenerations } from '../../../src/stores/redis/generations.ts';
import type { RedisHandle } from '../../../src/stores/redis/handle.ts';
import { createRedisStepUpStore } from '../../../src/stores/step-up/redis-store.ts';
import { hashOf } from '../../contracts/step-up-store.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { createManualClock, type ManualClock, until } from '../../support/test-app.ts';
import { watchRedisStore } from '../redis/watched-store.ts';

const LIFE_MS = 3_600_000;
const SUBJECT = { telemetry: hashOf('t1'), devices: [hashOf('d1')], account: hashOf('a1') };
const OTHER = { ...SUBJECT, telemetry: hashOf('u2') };

const server = await startRedisServer(t);
let deployments = 0;

/** One process, which has looked at everything there is. */
async function openProcess(t: Test, clock: ManualClock, keyPrefix: string) {
  const { redis, ready, events, count } = watchRedisStore(t, { url: server.url, clock, keyPrefix });
  await ready();
  let losses = 0;
  const onLost = () => {
    losses += 1;
  };
  const keyIds = ['aa'];
  const generations = createRedisGenerations({ redis, clock, keyIds, retentionMs: LIFE_MS, onLost });
  const store = createRedisStepUpStore({ redis, clock, keyIds, generations });
  await redis.client.ping();
  await setImmediate();
  const find = async (subject = SUBJECT) => store.find(subject, LIFE_MS);
  const add = (subject = SUBJECT, lifeMs = LIFE_MS) =>
    store.add(subject, { atMs: clock.nowMs(), method: 'otp', acr: null }, lifeMs);
  return { redis, store, find, add, events, count, losses: () => losses };
}

async function open(t: Test) {
  await server.command('FLUSHALL');
  deployments += 1;
  const [clock, prefix] = [createManualClock(), `step-up-${deployments}`];
  return { clock, prefix, ...(await openProcess(t, clock, prefix)) };
}

t.test(
  'knows nothing of what a Redis that was emptied may have held, until it would have run out',
  async (t) => {
    const { clock, find, add, losses } = await open(t);
    t.equal(await add(), 'kept');
    t.match(await find(), { method: 'otp' });
    await server.command('FLUSHALL');
    t.equal(await find(), 'unknown');
    t.equal(losses(), 1);
    t.equal(await find(OTHER), 'unknown', 'of whatever group');
    t.equal(await add(), 'void', 'what was told before the loss may have been ended');
    clock.advance(1);
    t.equal(await add(), 'kept');
    t.match(await find(), { method: 'otp' }, 'what is told after it is known');
    clock.advance(LIFE_MS);
    t.equal(await find(OTHER), 'none');
  },
);

t.test('has missed nothing in a new deployment, and in a process that starts later', async (t) => {
  const { clock, prefix, find, add, losses } = await open(t);
  t.equal(await find(), 'none');
  await add();
  const second = await openProcess(t, clock, prefix);
  t.match(await second.find(), { method: 'otp' });
  t.equal(await second.find(OTHER), 'none');
  t.same([losses(), second.losses()], [0, 0]);
});

t.test('tells a loss to a process that had no part in it', async (t) => {
  const { clock, prefix, find, add } = await open(t);
  await add();
  await server.command('FLUSHALL');
  t.equal(await find(), 'unknown');
  const second = await openProcess(t, clock, prefix);
  t.equal(await second.find(), 'unknown');
});

t.test('finds many in one command', async (t) => {
  const { find, add } = await open(t);
  await add();
  const seen = await server.monitor(async () => {
    t.match(await Promise.all([find(), find(OTHER), find()]), [{ method: 'otp' }, 'none', { method: 'otp' }]);
  });
  t.equal(seen.split('\n').filter((line) => /"eval(?:sha)?"/i.test(line)).length, 1);
});

t.test('knows nothing of what somebody else has written', async (t) => {
  const { redis, find, add, count } = await open(t);
  const { client, keys } = redis;
  await add();
  await client.hset(keys.stepUps(SUBJECT.telemetry), `slot:${hashOf('d1')}@`, 'nonsense');
  t.equal(await find(), 'unknown');
  await client.set(keys.stepUps(OTHER.telemetry), 'a text');
  t.equal(await find(OTHER), 'unknown');
  await client.set(keys.custodyGeneration(SUBJECT.telemetry), 'no generation at all');
  t.equal(await find(), 'unknown');
  t.equal(await add(), 'unknown');
  t.ok(count('value_refused') > 0 && count('command_refused') > 0);
});

t.test('keeps as many telemetry ids of a device as it can name, and ends the oldest', async (t) => {
  const { redis, clock, store, find, add } = await open(t);
  const { client, keys } = redis;
  await add();
  clock.advance(1);
  const others = Array.from({ length: 1_000 }, (_, place) => [
    hashOf(`other ${place}`),
    String(clock.nowMs()),
  ]).flat();
  await client.hset(keys.stepUpsOf(hashOf('d1')), ...others);
  clock.advance(1);
  t.equal(await add({ ...OTHER, account: hashOf('a2') }), 'kept');
  t.equal(await client.hlen(keys.stepUpsOf(hashOf('d1'))), 1_000);
  t.equal(await find(), 'none');
  t.equal(await store.forget({ telemetry: [], devices: [hashOf('d1')], accounts: [] }, clock.nowMs()), 1);
});

t.test('gives all that it keeps a time to live, which only grows', async (t) => {
  const { redis, clock, find, add } = await open(t);
  const { client, keys } = redis;
  await add(SUBJECT, 60_000);
  clock.advance(1);
  await add(SUBJECT, 30_000);
  await find();
  for (const key of [
    keys.stepUps(SUBJECT.telemetry),
    keys.stepUpsOf(hashOf('d1')),
    keys.stepUpsOf(hashOf('a1')),
  ]) {
    const lifeMs = await client.pttl(key);
    t.ok(lifeMs > 30_000 && lifeMs <= 60_000, `${lifeMs}`);
  }
});

t.test('is not done while Redis is lost', async (t) => {
  const { clock, store, redis, find, add } = await open(t);
  await add();
  await server.stop();
  await until('it is down', () => redis.guard.state() === 'down');
  t.equal(await find(), 'unknown');
  t.equal(await add(), 'unknown');
  t.equal(
    await store.forget({ telemetry: [SUBJECT.telemetry], devices: [], accounts: [] }, clock.nowMs()),
    null,
  );
  t.equal(await store.forget({ telemetry: [], devices: SUBJECT.devices, accounts: [] }, clock.nowMs()), null);
  await server.start();
});

t.test('keeps void what two replicas tell and end at the same time', async (t) => {
  const { clock, prefix, store } = await open(t);
  const second = await openProcess(t, clock, prefix);
  for (let round = 0; round < 40; round += 1) {
    clock.advance(1_000);
    const subject = { ...SUBJECT, telemetry: hashOf(`round ${round}`) };
    const [own, ended] = [
      { telemetry: [subject.telemetry], devices: [], accounts: [] },
      { telemetry: [], devices: SUBJECT.devices, accounts: [] },
    ];
    const stepUp = { atMs: clock.nowMs() - 1, method: null, acr: null };
    const acts = [
      () => store.add(subject, stepUp, LIFE_MS),
      () => second.store.forget(round % 2 === 0 ? own : ended, clock.nowMs()),
      () => second.store.add(subject, stepUp, LIFE_MS),
    ];
    await Promise.all((round % 4 < 2 ? acts : acts.toReversed()).map((act) => act()));
    t.equal(await store.find(subject, LIFE_MS), 'none');
    t.equal(await store.add(subject, stepUp, LIFE_MS), 'void');
  }
});

t.test('ends what was kept while a part of its subject was made void', async (t) => {
  const { redis, clock, prefix, find } = await open(t);
  const { client, keys, guard } = redis;
  const stepUp = { atMs: clock.nowMs(), method: null, acr: null };
  let commands = 0;
  const run = async <T>(command: () => Promise<T>): Promise<T | null> => {
    commands += 1;
    // Another replica has found no name, as the former end had removed it.
    if (commands === 6) await client.set(keys.stepUpsVoidOf(hashOf('d1')), String(clock.nowMs()));
    return guard.run(command);
  };
  const state = () => guard.state();
  const watched = { ...redis, guard: { ...guard, run, state } as RedisHandle['guard'] };
  const generations = createRedisGenerations({ redis, clock, keyIds: ['aa'], retentionMs: LIFE_MS });
  const store = createRedisStepUpStore({ redis: watched, clock, keyIds: ['aa'], generations });
  t.equal(await client.exists(keys.stepUps(SUBJECT.telemetry)), 0, prefix);
  t.equal(await store.add(SUBJECT, stepUp, LIFE_MS), 'void');
  t.ok(commands > 6);
  t.equal(await find(), 'none');
});

t.test('satisfies nothing that a replica of an earlier version has kept again', async (t) => {
  const { redis, clock, store, find, add } = await open(t);
  const { client, keys } = redis;
  await add();
  const key = keys.stepUps(SUBJECT.telemetry);
  const held = await client.hgetall(key);
  await store.forget({ telemetry: [SUBJECT.telemetry], devices: [], accounts: [] }, clock.nowMs());
  await client.hset(key, held);
  t.equal(await find(), 'none');
});

t.test('keeps and satisfies nothing while it cannot read what was ended', async (t) => {
  const { redis, clock, store, find, add } = await open(t);
  const { client, keys } = redis;
  await add();
  await client.set(keys.stepUpsVoid(SUBJECT.telemetry), 'nonsense');
  t.equal(await find(), 'unknown');
  t.equal(await add(), 'unknown');
  const hashes = { telemetry: [SUBJECT.telemetry], devices: [], accounts: [] };
  t.equal(await store.forget(hashes, clock.nowMs()), null);
  await client.del(keys.stepUpsVoid(SUBJECT.telemetry));
  await client.set(keys.stepUpsVoidOf(hashOf('d1')), 'nonsense');
  t.equal(await add(), 'unknown');
  t.equal(await store.voidUntil(SUBJECT), null);
  t.equal(await store.forget({ ...hashes, telemetry: [], devices: SUBJECT.devices }, clock.nowMs()), null);
});

t.test('ends what is no hash, too', async (t) => {
  const { redis, clock, store, find } = await open(t);
  await redis.client.set(redis.keys.stepUps(SUBJECT.telemetry), 'a text');
  t.equal(await find(), 'unknown');
  const hashes = { telemetry: [SUBJECT.telemetry], devices: [], accounts: [] };
  t.equal(await store.forget(hashes, clock.nowMs()), 1);
  t.equal(await find(), 'none');
});
