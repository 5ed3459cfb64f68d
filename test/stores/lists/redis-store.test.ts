import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { ListEntry } from '../../../src/domain/lists/list-entry.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { RedisLists } from '../../../src/stores/lists/redis-lists.ts';
import { createRedisListStore } from '../../../src/stores/lists/redis-store.ts';
import { contentsOf, createListTable } from '../../contracts/list-store.ts';
import { createListEntry, hashOf } from '../../support/list-entries.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { createManualClock, until } from '../../support/test-app.ts';
import { openRedisHandle } from '../redis/open-redis-handle.ts';
import { openTestRedisLists } from './open-redis-lists.ts';

const server = await startRedisServer(t);
const target = { url: server.url, keyPrefix: 'riskgate' };
const ENTRIES = 'riskgate:v1:{lists}:entries';
const STATE = 'riskgate:v1:{lists}:state';
const CHANGES = 'riskgate:v1:{lists}:changes';

t.beforeEach(async () => void (await server.command('FLUSHALL')));

/** The present, so that nothing is over. */
const NOW_MS = Date.now();

const entriesOf = (count: number, changes: Partial<ListEntry> = {}) =>
  Array.from({ length: count }, (_, serial) =>
    createListEntry({ value: hashOf(serial), addedAtMs: NOW_MS, ...changes }),
  );

/** Loses everything, or parts, while nobody looks. */
const losses: Readonly<Record<string, () => Promise<unknown>>> = {
  'came back empty': () => server.command('FLUSHALL'),
  'evicted the entries': () => server.command(['DEL', ENTRIES]),
  'evicted the state': () => server.command(['DEL', STATE]),
  'evicted one entry': async () => server.command(['HDEL', ENTRIES, `blocked device ${hashOf(3)}`]),
};

for (const [what, lose] of Object.entries(losses)) {
  t.test(`keeps what it knows, says so and writes it back when Redis ${what}`, async (t) => {
    const here = await openTestRedisLists(t, target);
    await here.store.commit(entriesOf(450));
    await here.store.commit([createListEntry({ value: hashOf(7), isRemoved: true })]);
    const before = contentsOf(here.store);
    await until('its own changes are read', async () => here.store.knowledge() === 'current');
    await lose();
    await until('it is noticed and mended', () => here.kinds().includes('restored'));
    t.match(
      here.events.find(({ kind }) => kind === 'lost'),
      { known_entries: 449 },
    );
    t.strictSame(contentsOf(here.store), before);
    t.equal(here.store.isTrusted(), true);
    const fresh = await openTestRedisLists(t, target);
    await until('a new process knows all', () => fresh.store.table.size === 449);
    t.strictSame(contentsOf(fresh.store), before, 'what was removed too');
    await fresh.store.commit([createListEntry({ value: hashOf(7), addedAtMs: NOW_MS })]);
    await until('changes are heard again', () => here.store.table.size === 450);
    t.same(here.kinds().filter((kind) => kind === 'lost').length, 1, 'it is one loss');
  });
}

t.test('brings together what several replicas know after a loss', async (t) => {
  const [here, there] = [await openTestRedisLists(t, target), await openTestRedisLists(t, target)];
  await here.store.commit(entriesOf(300));
  await until('both know all', () => there.store.table.size === 300);
  // Each knows something of which the other has not heard when everything is lost.
  here.store.table.put(createListEntry({ value: hashOf(1_001) }));
  there.store.table.put(createListEntry({ value: hashOf(1_002) }));
  there.store.table.put(createListEntry({ value: hashOf(5), isRemoved: true, addedAtMs: NOW_MS + 1 }));
  await server.command('FLUSHALL');
  await until('both have mended it', () => [here, there].every(({ kinds }) => kinds().includes('restored')));
  await until('they agree', () => {
    const [left, right] = [here, there].map(({ store }) => JSON.stringify(contentsOf(store)));
    return left === right;
  });
  t.equal(here.store.table.size, 301);
  t.strictSame(contentsOf(here.store), contentsOf(there.store));
});

/** Whether a new process still calls lists loading when it has read them. It trusts them in the end. */
async function isLoadingAfterReading(t: Test) {
  const redis = await openRedisHandle(t, target);
  let knowledge = '';
  const store = createRedisListStore({
    redis,
    clock: systemClock,
    table: createListTable(),
    onEvent: ({ kind }) => {
      if (kind === 'read') knowledge = store.knowledge();
    },
    lookIntervalMs: 50,
  });
  await until('it trusts them', () => store.isTrusted());
  // It would write back what the next one is to miss.
  await store.close();
  return knowledge === 'loading';
}

t.test('does not believe a Redis that has just begun before others had the time to write back', async (t) => {
  t.equal(await isLoadingAfterReading(t), true);
  t.equal(await isLoadingAfterReading(t), false, 'it has not just begun any more');
  await server.command('FLUSHALL');
  await new RedisLists(await openRedisHandle(t, target)).change('put', entriesOf(1));
  t.equal(await isLoadingAfterReading(t), true, 'one change after a loss is not all');
  await server.command(['HDEL', ENTRIES, `blocked device ${hashOf(0)}`]);
  t.equal(await isLoadingAfterReading(t), true, 'nor one that lacks an entry');
});

t.test('does not trust a new process while others write lists back', async (t) => {
  await server.command(['HSET', STATE, 'restoring', String(Date.now() + 100_000), 'count', '0']);
  const { store } = await openTestRedisLists(t, target);
  t.equal(store.knowledge(), 'restoring');
  t.equal(store.isTrusted(), false);
  await server.command(['HSET', STATE, 'restoring', '0']);
  await until('that is over', () => store.isTrusted());
  t.equal(store.knowledge(), 'current');
});

t.test('does not trust a new process that began before others wrote lists back', async (t) => {
  const { store } = await openTestRedisLists(t, target);
  await until('it has begun', () => store.knowledge() === 'current');
  const lists = new RedisLists(await openRedisHandle(t, target));
  await lists.change('restore', entriesOf(1));
  await until('it reads what it never knew', () => store.table.size === 1);
  t.equal(store.knowledge(), 'restoring');
  t.equal(store.isTrusted(), false);
  await lists.change('restored', []);
  await until('that is over', () => store.isTrusted());
});

t.test('misses what is lost until it was written back, whatever is changed meanwhile', async (t) => {
  const lists = new RedisLists(await openRedisHandle(t, target));
  const isWhole = async () => (await lists.look())?.isWhole;
  await lists.change('put', entriesOf(3));
  t.equal(await isWhole(), true);
  await server.command(['HDEL', ENTRIES, `blocked device ${hashOf(0)}`]);
  const fourth = await lists.change('put', [createListEntry({ value: hashOf(4), addedAtMs: NOW_MS })]);
  t.equal(await isWhole(), false, 'after an entry was added');
  await lists.change('put', [createListEntry({ value: hashOf(1), addedAtMs: NOW_MS + 1 })]);
  t.equal(await isWhole(), false, 'after one was replaced');
  await lists.drop(fourth?.entries ?? []);
  t.equal(await isWhole(), false, 'after one was dropped');
  await lists.change('restore', entriesOf(3));
  await lists.change('restored', []);
  t.equal(await isWhole(), true);
});

t.test('takes the history of another master for a loss of its own latest changes', async (t) => {
  const { store, kinds } = await openTestRedisLists(t, target);
  await store.commit(entriesOf(1));
  await store.commit(entriesOf(2));
  await until('it knows the second change', () => store.knowledge() === 'current');
  // A master that took over without the second change has written another one under its number. At once, so that
  // no look comes between.
  const takeOver = `redis.call('HSET', KEYS[2], 'name', 'another', 'count', '2')
    redis.call('DEL', KEYS[3])
    redis.call('HDEL', KEYS[1], ARGV[1])
    return redis.call('HSET', KEYS[1], 'blocked asn 1', ARGV[2])`;
  const other = '5 {"list":"blocked","part":"asn","value":"1","by":"x"}';
  const lost = `blocked device ${hashOf(1)}`;
  await server.command(['EVAL', takeOver, '3', ENTRIES, STATE, CHANGES, lost, other]);
  await until('it is mended', () => kinds().includes('restored'));
  t.equal(store.table.size, 3);
  const fresh = await openTestRedisLists(t, target);
  t.equal(fresh.store.table.size, 3);
});

t.test('tells of one loss where Redis comes back empty while that is mended', async (t) => {
  const { store, redis, kinds } = await openTestRedisLists(t, target);
  for (let change = 1; change < 5; change += 1) await store.commit(entriesOf(change));
  const { client } = redis;
  const scan = client.hscan.bind(client) as (...words: unknown[]) => Promise<[string, string[]]>;
  let isEmptied = false;
  Reflect.set(client, 'hscan', async (...words: unknown[]) => {
    if (!isEmptied) await server.command('FLUSHALL');
    isEmptied = true;
    return scan(...words);
  });
  await server.command(['HDEL', ENTRIES, `blocked device ${hashOf(1)}`]);
  await until('it is mended', () => kinds().includes('restored'));
  const another = await openTestRedisLists(t, target);
  await another.store.commit([createListEntry({ value: hashOf(7), addedAtMs: NOW_MS })]);
  await until('changes are heard again', () => store.table.size === 5);
  t.equal(kinds().filter((kind) => kind === 'lost').length, 1);
});

t.test('writes back what was changed since a backup that Redis was restored from', async (t) => {
  const here = await openTestRedisLists(t, target);
  await here.store.commit(entriesOf(3));
  const { client } = await openRedisHandle(t, target);
  const backup = await Promise.all(
    [ENTRIES, STATE, CHANGES].map(async (key) => ({ key, bytes: await client.dumpBuffer(key) })),
  );
  await here.store.commit([
    createListEntry({ value: hashOf(1), isRemoved: true, addedAtMs: NOW_MS }),
    createListEntry({ value: hashOf(9), addedAtMs: NOW_MS }),
  ]);
  const before = contentsOf(here.store);
  await until('its own changes are read', async () => here.store.knowledge() === 'current');
  for (const { key, bytes } of backup) await client.restore(key, 0, bytes, 'REPLACE');
  await until('it is noticed and mended', () => here.kinds().includes('restored'));
  t.strictSame(contentsOf(here.store), before);
  const fresh = await openTestRedisLists(t, target);
  await until('a new process knows all', () => fresh.store.table.size === 3);
  t.strictSame(contentsOf(fresh.store), before, 'nothing that was removed is back');
});

t.test('reads everything again when it missed more changes than are kept, without a loss', async (t) => {
  const there = await openTestRedisLists(t, target);
  // It makes all changes between two looks.
  const here = await openTestRedisLists(t, target, systemClock, 1_000);
  await here.store.commit(entriesOf(1));
  await until('both know it', () => there.store.table.size === 1);
  there.redis.client.disconnect(true);
  for (let change = 0; change < 300; change += 1)
    await here.store.commit([createListEntry({ value: hashOf(change) })]);
  await until('the other knows all', () => there.store.table.size === 300);
  await delay(1_200);
  t.notOk([...here.kinds(), ...there.kinds()].includes('lost'));
});

t.test('keeps what it knew and trusts it for a minute while Redis cannot be asked', async (t) => {
  const clock = createManualClock();
  const { store, kinds } = await openTestRedisLists(t, target, clock);
  await store.commit(entriesOf(1));
  await server.stop();
  await until('it is tried in vain', async () => (await store.commit(entriesOf(1))) === null);
  clock.advance(2_001);
  t.equal(store.knowledge(), 'stale');
  await until('that is told', () => kinds().includes('stale'));
  t.equal(store.isTrusted(), true);
  clock.advance(57_999);
  t.equal(store.isTrusted(), false);
  t.equal(store.table.size, 1, 'what is blocked stays blocked');
  await server.start();
  await until('it is heard again', () => store.isTrusted());
  await until('that is told too', () => kinds().includes('current'));
  t.ok(kinds().includes('restored'), 'the server came back empty');
});

t.test('is ready at once where Redis is gone, and knows nothing', async (t) => {
  const redis = await openRedisHandle(t, target);
  await server.stop();
  t.teardown(() => server.start());
  await until('it is gone', () => redis.health().state === 'down');
  const options = { redis, clock: createManualClock(), table: createListTable(), onEvent: () => {} };
  const store = createRedisListStore(options);
  t.teardown(() => store.close());
  await store.ready();
  t.equal(store.knowledge(), 'loading');
  t.equal(store.isTrusted(), false);
});

t.test('passes over what is no entry, and reports it', async (t) => {
  await server.command([
    'HSET',
    ENTRIES,
    'blocked device x',
    'nonsense',
    'blocked asn 1',
    '5 {"list":"blocked"}',
  ]);
  await server.command(['HSET', STATE, 'count', '2']);
  const { store, redis } = await openTestRedisLists(t, target);
  t.equal(store.table.size, 0);
  t.match(redis.events, [{ kind: 'up' }, { kind: 'value_refused', key: ENTRIES }]);
});
