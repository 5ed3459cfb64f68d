import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createRedisRequestCounter } from '../../src/stores/callers/redis-counter.ts';
import { createRedisIdempotencyStore } from '../../src/stores/callers/redis-idempotency.ts';
import { createRedisCustodyStore } from '../../src/stores/custody/redis-store.ts';
import type { ClusterTarget } from '../../src/stores/redis/target.ts';
import { openTestRedisLists } from '../stores/lists/open-redis-lists.ts';
import { openRedisHandle } from '../stores/redis/open-redis-handle.ts';
import { watchRedisStore } from '../stores/redis/watched-store.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { createManualClock } from '../support/test-app.ts';
import { openRedisActivity, testActivityStore } from './activity-store.ts';
import { RETENTION_MS, testCustodyStore } from './custody-store.ts';
import { createEvidence, settle, testEvidenceStore } from './evidence-store.ts';
import { testIdempotencyStore } from './idempotency-store.ts';
import { testListStore } from './list-store.ts';
import { openRedisStepUps, testStepUpStore } from './step-up-store.ts';

const cluster = await startRedisCluster(t);
let openings = 0;

/** Each opening gets a key prefix of its own. */
function toTarget(opening: number): ClusterTarget {
  return {
    topology: 'cluster',
    nodes: cluster.masters.map(({ port }) => ({ host: '127.0.0.1', port })),
    credentials: { username: null, password: null },
    tls: null,
    keyPrefix: `test-${opening}`,
  };
}

function next(): ClusterTarget {
  openings += 1;
  return toTarget(openings);
}

t.test('evidence in a cluster keeps the contract', async (t) => {
  testEvidenceStore(t, {
    id: 'cluster',
    open: async (t, clock) => {
      const { store, ready } = watchRedisStore(t, { target: next(), clock });
      await ready();
      return store;
    },
    openReplica: async (t, clock) => {
      const { store, ready } = watchRedisStore(t, { target: toTarget(openings), clock });
      await ready();
      return store;
    },
  });
});

t.test('custody in a cluster keeps the contract', async (t) => {
  testCustodyStore(t, {
    id: 'cluster',
    open: async (t, clock) => {
      const { redis, ready } = watchRedisStore(t, { target: next(), clock });
      await ready();
      return {
        store: createRedisCustodyStore({ redis, clock, keyIds: ['aa'], retentionMs: RETENTION_MS }),
        lifeMs: async (key) => {
          const lifeMs = await redis.client.pttl(redis.keys.custody(key));
          return lifeMs < 0 ? null : lifeMs;
        },
      };
    },
  });
});

t.test('activity in a cluster keeps the contract', async (t) => {
  testActivityStore(t, {
    id: 'cluster',
    open: async (t, clock) => {
      const { redis, ready } = watchRedisStore(t, { target: next(), clock });
      await ready();
      return openRedisActivity(redis, clock);
    },
  });
});

t.test('activity in a cluster is told of one turn whose entities are spread over its slots', async (t) => {
  const clock = createManualClock();
  const { redis, ready } = watchRedisStore(t, { target: next(), clock });
  await ready();
  const store = await openRedisActivity(redis, clock);
  const entities = Array.from({ length: 64 }, (_, place) => ({
    part: place % 2 === 0 ? ('device' as const) : ('account' as const),
    hash: (place % 32)
      .toString(16)
      .padStart(2, '0')
      .padEnd(32, place < 32 ? 'a' : 'b'),
  }));
  const change = { values: [], acceptance: null, measures: [0] };
  const takeAll = async () => {
    const taken = await Promise.all(entities.map(async (entity) => store.take({ entity, ...change })));
    return taken.map((known) => known?.state.counts[2] ?? null);
  };
  t.same(await takeAll(), Array(64).fill(1));
  t.equal(await store.addNow(entities.map((entity) => ({ entity, ...change }))), true);
  t.same(await takeAll(), Array(64).fill(3), 'each of them and no other');
  t.equal(await store.forget(entities), 64);
  t.equal(redis.guard.counters().errorReplies, 0);
});

t.test('step-ups in a cluster keep the contract', async (t) => {
  testStepUpStore(t, {
    id: 'cluster',
    open: async (t, clock) => {
      const { redis, ready } = watchRedisStore(t, { target: next(), clock });
      await ready();
      return openRedisStepUps(redis, clock);
    },
  });
});

t.test('step-ups in a cluster are found in one turn by ids that are spread over its slots', async (t) => {
  const clock = createManualClock();
  const { redis, ready } = watchRedisStore(t, { target: next(), clock });
  await ready();
  const store = await openRedisStepUps(redis, clock);
  const subjects = Array.from({ length: 48 }, (_, place) => ({
    telemetry: (place % 16)
      .toString(16)
      .repeat(2)
      .padEnd(32, String(place >> 4)),
    devices: [],
    account: null,
  }));
  const stepUp = { atMs: clock.nowMs(), method: 'otp', acr: null };
  const kept = await Promise.all(subjects.map((subject) => store.add(subject, stepUp, 60_000)));
  t.same(new Set(kept), new Set(['kept']));
  const found = await Promise.all(subjects.map(async (subject) => store.find(subject, 60_000)));
  t.same(found, Array(48).fill(stepUp));
  t.equal(redis.guard.counters().failures, 0);
});

t.test('lists in a cluster keep the contract', async (t) => {
  const open = async (t: Test) => (await openTestRedisLists(t, { target: toTarget(openings) })).store;
  testListStore(t, {
    id: 'cluster',
    isShared: true,
    open: (t) => {
      next();
      return open(t);
    },
    openAgain: open,
  });
});

t.test('custody in a cluster keeps one binding under two hash keys, whichever is in force', async (t) => {
  const clock = createManualClock();
  const target = next();
  const open = async (...keyIds: readonly string[]) => {
    const { redis, ready } = watchRedisStore(t, { target, clock });
    await ready();
    const store = createRedisCustodyStore({ redis, clock, keyIds, retentionMs: RETENTION_MS });
    return (device: string) =>
      store.use(
        keyIds.map((id) => ({ key: `5e${id}`.padEnd(32, '0'), user: { 'device:m': `${id}-${device}` } })),
      );
  };
  const [old, both, young] = [await open('aa'), await open('bb', 'aa'), await open('bb')];
  t.match(await old('owner'), { uses: 1, isBoundElsewhere: false });
  t.match(await both('thief'), { uses: 2, isBoundElsewhere: true });
  t.match(await both('owner'), { uses: 3, isBoundElsewhere: false });
  t.match(await young('thief'), { uses: 4, isBoundElsewhere: true });
});

t.test('custody in a cluster counts uses of one turn whose bindings are spread over its slots', async (t) => {
  const { redis, ready } = watchRedisStore(t, { target: next(), clock: createManualClock() });
  await ready();
  const clock = createManualClock();
  const store = createRedisCustodyStore({ redis, clock, keyIds: ['aa', 'bb'], retentionMs: RETENTION_MS });
  const idOf = (place: number) => (place % 16).toString(16).repeat(2);
  const useAll = () =>
    Promise.all(
      Array.from({ length: 48 }, async (_, place) =>
        store.use([
          { key: idOf(place).padEnd(32, 'a'), user: { account: 'a' } },
          { key: idOf(place).padEnd(32, 'b'), user: { account: 'b' } },
        ]),
      ),
    );
  const uses = (await useAll()).map((record) => record?.uses ?? null);
  t.same(
    uses,
    [1, 2, 3].flatMap((use) => Array.from({ length: 16 }, () => use)),
  );
  t.ok((await useAll()).every((record) => record !== null && record.uses > 3 && !record.isBoundElsewhere));
  t.equal(redis.guard.counters().errorReplies, 0);
});

t.test('evidence in a cluster answers reads of one turn that are spread over its slots', async (t) => {
  const clock = createManualClock();
  const { store, ready } = watchRedisStore(t, { target: next(), clock });
  await ready();
  const keys = Array.from({ length: 50 }, (_, place) => `stytch:${place}`);
  for (const key of keys.slice(0, 25)) store.set(key, createEvidence(clock));
  for (const key of keys) await store.get(key);
  const readings = await Promise.all(keys.map(async (key) => store.getOrClaim(key, 60_000)));
  t.same(
    readings.map((reading) => reading !== null && 'evidence' in reading),
    keys.map((_, place) => place < 25),
  );
  t.equal(store.counters().errorReplies, 0);
});

t.test('idempotency in a cluster keeps the contract', async (t) => {
  await testIdempotencyStore(t, {
    id: 'cluster',
    open: async (t) => ({
      store: createRedisIdempotencyStore(await openRedisHandle(t, { target: next() })),
      pass: (ms) => delay(ms),
    }),
  });
});

t.test('a caller is counted once in the whole cluster', async (t) => {
  const target = next();
  const clock = createManualClock();
  const counters = await Promise.all(
    [1, 2].map(async () => createRedisRequestCounter(await openRedisHandle(t, { target }), clock)),
  );
  const places = await Promise.all(
    counters.flatMap((counter) =>
      Array.from(
        { length: 40 },
        async (_, caller) => (await counter.count(`caller-${caller}`, 60_000, 100))?.count,
      ),
    ),
  );
  t.same(
    places.toSorted((left = 0, right = 0) => left - right),
    [...Array(40).fill(1), ...Array(40).fill(2)],
  );
});

t.test(
  'many keys on all nodes are read, written and purged at once, and every replica is told',
  async (t) => {
    const target = next();
    const clock = createManualClock();
    const [here, there] = [watchRedisStore(t, { target, clock }), watchRedisStore(t, { target, clock })];
    await Promise.all([here.ready(), there.ready()]);
    const keys = Array.from({ length: 60 }, (_, place) => `stytch:${String(place).padStart(32, '0')}`);
    const heard = new Promise<readonly string[]>((resolve) => there.store.onPurge(resolve));
    for (const key of keys) here.store.set(key, createEvidence(clock));
    await settle(here.store);
    for (const { store } of [here, there]) {
      const found = await Promise.all(keys.map(async (key) => store.get(key)));
      t.equal(found.filter((one) => one !== null).length, keys.length);
    }
    for (const master of cluster.masters)
      t.not(await master.command('DBSIZE'), ':0', 'keys lie on every node');
    t.equal(await here.store.purge(keys), true);
    t.same(await heard, keys);
    const left = await Promise.all(keys.map(async (key) => there.store.get(key)));
    t.same(new Set(left), new Set([null]));
    t.equal(here.store.counters().errorReplies, 0);
  },
);
