import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LEASE_MS } from '../../src/application/review/review-store.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createRedisHandle } from '../../src/stores/redis/handle.ts';
import { openFileReviewStore } from '../../src/stores/review/file-store.ts';
import { createMemoryReviewStore } from '../../src/stores/review/memory-store.ts';
import { createRedisReviewStore } from '../../src/stores/review/redis-store.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { toTarget } from '../support/redis-target.ts';
import { createDirectory, createManualClock, until } from '../support/test-app.ts';
import { createQueue, endsWithin, type ReviewStoreTwin, testReviewStore } from './review-store.ts';

const server = await startRedisServer(t);
const ANNA = { holder: 'a'.repeat(32), name: 'Anna' };
let openings = 0;
let path = '';

async function openRedisStore(t: Test, keyPrefix = `test-${openings}`) {
  const target = toTarget({ url: server.url, keyPrefix });
  const redis = createRedisHandle({ target, name: 'test', budgetMs: 5_000 });
  t.teardown(() => redis.close());
  await until('Redis can be used', () => redis.health().state === 'up');
  return { store: createRedisReviewStore(redis), redis };
}

const openFile = (onFailure: (code: string) => void = t.fail) =>
  openFileReviewStore({ path, clock: systemClock, onFailure });

const twins: readonly ReviewStoreTwin[] = [
  { id: 'process', open: async () => createMemoryReviewStore({ clock: systemClock }) },
  {
    id: 'file',
    open: async (t) => {
      path = join(createDirectory(t), 'queues.json');
      return openFile();
    },
    openAfter: () => openFile(),
  },
  {
    id: 'redis',
    open: async (t) => {
      openings += 1;
      return (await openRedisStore(t)).store;
    },
    openAfter: async (t) => (await openRedisStore(t)).store,
  },
];
for (const twin of twins)
  t.test(twin.id, async (t) => {
    testReviewStore(t, twin);
  });

t.test('a decision is free again when its time is over, whatever the wall clock says', async (t) => {
  const clock = createManualClock();
  const store = createMemoryReviewStore({ clock });
  await store.claim(['one'], ANNA);
  clock.advance(LEASE_MS - 1);
  t.equal((await store.claims())?.length, 1);
  clock.advance(1);
  t.same(await store.claims(), []);
  await store.close();
});

t.test('Redis ends claims by its own clock, and passes over what no replica wrote', async (t) => {
  const { store, redis } = await openRedisStore(t, 'strange');
  const beforeMs = Date.now();
  const [claim] = (await store.claim(['one'], ANNA)) ?? [];
  t.ok(endsWithin(claim?.untilMs ?? 0, beforeMs - 1, Date.now() + 1), 'the server is on this machine');
  const { reviewClaims, reviewQueues } = redis.keys;
  await redis.client.hset(reviewClaims, 'over', `${beforeMs - 1} aa Anna`, 'odd', 'text');
  await redis.client.hset(reviewQueues, 'odd', '{', 'other', '{"name":1}');
  t.same(
    (await store.claims())?.map(({ decisionId }) => decisionId),
    ['one'],
  );
  t.same(await redis.client.hkeys(reviewClaims), ['one']);
  t.same(await store.queues(), []);
  t.ok((await redis.client.pttl(reviewClaims)) > 0, 'nothing stays for ever');
});

t.test('says that it cannot tell while Redis is down', async (t) => {
  const own = await startRedisServer(t);
  const redis = createRedisHandle({ target: toTarget({ url: own.url }), name: 'test', budgetMs: 500 });
  t.teardown(() => redis.close());
  await until('Redis can be used', () => redis.health().state === 'up');
  const store = createRedisReviewStore(redis);
  await own.stop();
  await until('it is known to be down', () => redis.health().state !== 'up');
  t.equal(await store.queues(), null);
  t.equal(await store.putQueue(createQueue('a')), 'unknown');
  t.equal(await store.removeQueue('a'), 'unknown');
  t.equal(await store.claims(), null);
  t.equal(await store.claim(['one'], ANNA), null);
  t.equal(await store.release('one', ANNA.holder), 'unknown');
});

t.test(
  'a file that cannot be written keeps what it had, and one that cannot be read is not replaced',
  async (t) => {
    const directory = createDirectory(t);
    path = join(directory, 'queues.json');
    const codes: string[] = [];
    const store = await openFile((code) => codes.push(code));
    await store.putQueue(createQueue('a'));
    mkdirSync(`${path}.new`);
    t.equal(await store.putQueue(createQueue('b')), 'unknown');
    t.equal(await store.removeQueue('a'), 'unknown');
    t.same(codes, ['EISDIR', 'EISDIR']);
    t.same(
      (await store.queues())?.map(({ name }) => name),
      ['a'],
    );
    rmSync(`${path}.new`, { recursive: true });
    t.equal(await store.putQueue(createQueue('b')), 'kept', 'and goes on');
    await store.close();
    t.match(readFileSync(path, 'utf8'), '"b"');
    for (const text of ['{', '{"queues": 1}']) {
      writeFileSync(path, text);
      await t.rejects(openFile(), /cannot be read/);
      t.equal(readFileSync(path, 'utf8'), text);
    }
  },
);
