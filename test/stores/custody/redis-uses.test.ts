import t, { type Test } from 'tap';
import type { CustodyUser } from '../../../src/domain/custody.ts';
import { createRedisCustodyStore } from '../../../src/stores/custody/redis-store.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { createManualClock } from '../../support/test-app.ts';
import { openRedisHandle } from '../redis/open-redis-handle.ts';

const OWNER: CustodyUser = { account: 'a1', 'device:m': 'd1' };
const THIEF: CustodyUser = { account: 'a2', 'device:m': 'd2' };

const server = await startRedisServer(t);
t.beforeEach(() => server.command('FLUSHALL'));

async function open(t: Test) {
  const redis = await openRedisHandle(t, { url: server.url });
  const clock = createManualClock();
  const store = createRedisCustodyStore({ redis, clock, keyIds: ['aa'], retentionMs: 3_600_000 });
  // The groups are looked at first, by commands of their own.
  await redis.client.ping();
  const useAll = (keys: readonly string[], user = OWNER) =>
    Promise.all(keys.map(async (key) => store.use([{ key, user }])));
  return { redis, useAll };
}

/** Spread over many groups. */
function keysOf(count: number): string[] {
  return Array.from({ length: count }, (_, place) =>
    (place * 7).toString(16).padStart(2, '0').padEnd(32, 'ab'),
  );
}

t.test('records all uses of one turn with one command', async (t) => {
  const { useAll } = await open(t);
  await useAll(keysOf(20));
  const seen = await server.monitor(async () => {
    const records = await useAll(keysOf(20), THIEF);
    t.ok(records.every((record) => record?.uses === 2 && record.isBoundElsewhere));
  });
  t.equal(seen.match(/"eval(sha)?"/gi)?.length, 1);
});

t.test('counts the uses of one id in the order in which they came, however many there are', async (t) => {
  const { useAll } = await open(t);
  const [key = ''] = keysOf(1);
  const records = await useAll(Array.from({ length: 300 }, () => key));
  t.same(
    records.map((record) => record?.uses),
    records.map((_, place) => place + 1),
  );
});

t.test('knows the custody of the others where one key holds what is no binding', async (t) => {
  const { redis, useAll } = await open(t);
  const keys = keysOf(5);
  const [, , poisoned = ''] = keys;
  await server.command(['SET', redis.keys.custody(poisoned), 'poison']);
  const records = await useAll(keys);
  t.same(
    records.map((record) => record?.uses ?? null),
    [1, 1, null, 1, 1],
  );
  t.match(redis.events.at(-1), { kind: 'command_refused', code: 'WRONGTYPE' });
  t.equal(redis.guard.counters().errorReplies, 1);
  t.equal(redis.health().state, 'up');
  t.same(
    (await useAll(keys, THIEF)).map((record) => record?.isBoundElsewhere ?? null),
    [true, true, null, true, true],
    'and each was bound by its own user',
  );
});

t.test('knows the custody of the others where one group holds what is no generation', async (t) => {
  const { redis, useAll } = await open(t);
  const keys = keysOf(3);
  const [, strange = ''] = keys;
  await server.command(['DEL', redis.keys.custodyGeneration(strange)]);
  await server.command(['LPUSH', redis.keys.custodyGeneration(strange), 'poison']);
  const records = await useAll(keys);
  t.same(
    records.map((record) => record?.uses ?? null),
    [1, null, 1],
  );
  t.equal(await server.command(['EXISTS', redis.keys.custody(strange)]), ':0', 'and nothing was bound there');
});

t.test('finds its script again when Redis has forgotten it, and counts each use once', async (t) => {
  const { redis, useAll } = await open(t);
  await useAll(keysOf(5));
  await server.command('SCRIPT FLUSH');
  t.ok((await useAll(keysOf(5))).every((record) => record?.uses === 2));
  t.equal(redis.guard.counters().errorReplies, 0);
});

t.test('binds nothing, and knows no custody, where Redis has no room', async (t) => {
  const { redis, useAll } = await open(t);
  await useAll(keysOf(2));
  await server.command(['CONFIG', 'SET', 'maxmemory', '1']);
  t.teardown(() => server.command(['CONFIG', 'SET', 'maxmemory', '0']));
  t.same(await useAll(keysOf(4)), [null, null, null, null]);
  t.match(redis.events.at(-1), { kind: 'command_refused', code: 'OOM' });
  await server.command(['CONFIG', 'SET', 'maxmemory', '0']);
  t.same(
    (await useAll(keysOf(4))).map((record) => record?.uses),
    [2, 2, 1, 1],
  );
});

t.test('gives names of their own to generations that begin in one command', async (t) => {
  const { redis, useAll } = await open(t);
  await server.command('FLUSHALL');
  const keys = keysOf(4);
  await useAll(keys);
  const names = await Promise.all(
    keys.map(async (key) => (await server.command(['GET', redis.keys.custodyGeneration(key)])).split(' ')[0]),
  );
  t.equal(new Set(names).size, 4);
});
