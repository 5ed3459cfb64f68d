import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { CustodyStore } from '../../../src/application/custody/custody-store.ts';
import { type CustodyRecord, type CustodyUser, isInDoubt } from '../../../src/domain/custody.ts';
import { createMemoryCustodyStore } from '../../../src/stores/custody/memory-store.ts';
import { createRedisCustodyStore } from '../../../src/stores/custody/redis-store.ts';
import type { RedisHandle } from '../../../src/stores/redis/handle.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { createManualClock, type ManualClock, until } from '../../support/test-app.ts';
import { watchRedisStore } from '../redis/watched-store.ts';

const RETENTION_MS = 3_600_000;
const KEY = '00112233445566778899aabbccddeeff';
const KEY_OF_ANOTHER_GROUP = 'ffeeddccbbaa99887766554433221100';
const OWNER: CustodyUser = { account: 'a1', 'device:m': 'd1' };
const THIEF: CustodyUser = { account: 'a2', 'device:m': 'd2' };

const server = await startRedisServer(t);
let deployments = 0;

function newPrefix(): string {
  deployments += 1;
  return `began-${deployments}`;
}

/** One process of a deployment, which has looked at everything there is. */
async function openProcess(t: Test, clock: ManualClock, keyPrefix: string) {
  const { redis, ready, count } = watchRedisStore(t, { url: server.url, clock, keyPrefix });
  await ready();
  let losses = 0;
  const onLost = () => {
    losses += 1;
  };
  const store = createRedisCustodyStore({ redis, clock, keyIds: ['aa'], retentionMs: RETENTION_MS, onLost });
  await settle(redis);
  return { store, redis, count, losses: () => losses };
}

/** Resolves when everything that was sent before has been answered and noted. */
async function settle({ client }: RedisHandle): Promise<void> {
  await client.ping();
  await setImmediate();
}

async function use(store: CustodyStore, user: CustodyUser, key: string = KEY): Promise<CustodyRecord> {
  const record = await store.use([{ key: key, user: user }]);
  if (record === null) throw new Error('custody is unknown');
  return record;
}

t.beforeEach(async () => {
  await server.command('FLUSHALL');
});

t.test('has missed nothing in a new deployment, in a second process, and in one that restarts', async (t) => {
  const [clock, prefix] = [createManualClock(), newPrefix()];
  for (let process = 0; process < 3; process += 1) {
    const { store, losses } = await openProcess(t, clock, prefix);
    t.strictSame([(await use(store, OWNER)).loss, losses()], [null, 0]);
    clock.advance(1_000);
  }
});

t.test('tells every use of every process that bindings are gone, from the first on', async (t) => {
  const [clock, prefix] = [createManualClock(), newPrefix()];
  const [first, second] = [await openProcess(t, clock, prefix), await openProcess(t, clock, prefix)];
  await use(first.store, OWNER);
  clock.advance(60_000);
  await server.command('FLUSHALL');
  const noticedAtMs = clock.nowMs();
  const loss = { noticedAtMs, overAtMs: noticedAtMs + RETENTION_MS };
  t.match(await use(second.store, THIEF), { uses: 1, loss });
  await settle(second.redis);
  clock.advance(60_000);
  t.match(await use(second.store, THIEF), { uses: 2, loss });
  t.match(await use(first.store, OWNER), { uses: 3, isBoundElsewhere: true, loss });
  t.same((await use(first.store, OWNER, KEY_OF_ANOTHER_GROUP)).loss, loss, 'of all groups at once');
  t.strictSame([first.losses(), second.losses()], [1, 1]);
  const third = await openProcess(t, clock, prefix);
  t.same((await use(third.store, THIEF)).loss, loss);
  t.equal(third.losses(), 0, 'which has known of nothing else');
});

t.test('reports each loss again', async (t) => {
  const [clock, prefix] = [createManualClock(), newPrefix()];
  const { store, redis, losses } = await openProcess(t, clock, prefix);
  for (let round = 1; round <= 3; round += 1) {
    clock.advance(60_000);
    await server.command('FLUSHALL');
    t.equal((await use(store, OWNER)).loss?.noticedAtMs, clock.nowMs());
    t.equal(losses(), round);
    await settle(redis);
  }
});

t.test('is told by who knew more than a process that has just started', async (t) => {
  const [clock, prefix] = [createManualClock(), newPrefix()];
  const old = await openProcess(t, clock, prefix);
  await use(old.store, OWNER);
  await server.command('FLUSHALL');
  const young = await openProcess(t, clock, prefix);
  t.equal((await use(young.store, THIEF)).loss, null, 'which cannot know');
  t.not((await use(old.store, OWNER)).loss, null);
  t.not((await use(young.store, THIEF)).loss, null, 'and knows from then on');
});

t.test('finds a loss by itself when Redis has been away, so that it is not dated later', async (t) => {
  const [clock, prefix] = [createManualClock(), newPrefix()];
  const { store, count, losses } = await openProcess(t, clock, prefix);
  await server.restart();
  await until('it is up again', () => count('up') === 2);
  await until('the loss is found', () => losses() === 1);
  const foundAtMs = clock.nowMs();
  clock.advance(60_000);
  t.equal((await use(store, THIEF)).loss?.noticedAtMs, foundAtMs);
});

t.test('takes what is no generation for unknown custody', async (t) => {
  const [clock, prefix] = [createManualClock(), newPrefix()];
  const { store, redis, count } = await openProcess(t, clock, prefix);
  const key = redis.keys.custodyGeneration(KEY);
  for (const nonsense of ['', 'x', 'x y', 'x -1', ' 5', 'x 1e3', `x ${'9'.repeat(16)}`]) {
    await redis.client.set(key, nonsense);
    t.equal(await store.use([{ key: KEY, user: THIEF }]), null, JSON.stringify(nonsense));
  }
  t.ok(count('value_refused') > 0);
  await redis.client.del(key);
  await redis.client.lpush(key, 'x');
  t.equal(await store.use([{ key: KEY, user: THIEF }]), null);
  await redis.client.del(key);
  t.not((await use(store, THIEF)).loss, null, 'and one that is deleted for a loss');
});

t.test(
  'never tells of an id from before a loss what memory would not: a replay is one, or in doubt',
  async (t) => {
    const users = fc.constantFrom(OWNER, THIEF, { account: 'a1' }, { 'device:m': 'd2' }, {});
    const uses = fc.record({ user: users, process: fc.nat(1), isLostBefore: fc.boolean() });
    const [clock, prefix] = [createManualClock(), newPrefix()];
    const processes = [await openProcess(t, clock, prefix), await openProcess(t, clock, prefix)];
    const told = { replays: 0, doubts: 0 };
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(uses, { minLength: 2, maxLength: 8 }), async (steps) => {
        for (const { redis } of processes) await settle(redis);
        runs += 1;
        const key = runs.toString(16).padStart(32, '0');
        // Younger than the losses of the runs before.
        clock.advance(60_000);
        const createdAtMs = clock.nowMs() - 1_000;
        const twin = createMemoryCustodyStore({ clock, retentionMs: RETENTION_MS });
        for (const { user, process, isLostBefore } of steps) {
          clock.advance(1_000);
          if (isLostBefore) await server.command('FLUSHALL');
          const record = (await processes[process]?.store.use([{ key: key, user: user }])) ?? null;
          const isReplay = twin.use([{ key: key, user: user }])?.isBoundElsewhere ?? true;
          if (record === null) return false;
          if (!isReplay) continue;
          if (isInDoubt(record, createdAtMs)) told.doubts += 1;
          else if (record.isBoundElsewhere) told.replays += 1;
          else return false;
        }
        return true;
      }),
      { numRuns: 150, seed: 20260118 },
    );
    t.ok(
      told.replays > 20 && told.doubts > 20,
      `${told.replays} replays were told, ${told.doubts} were in doubt`,
    );
  },
);
