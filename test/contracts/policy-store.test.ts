import t, { type Test } from 'tap';
import { createMemoryPolicyStore } from '../../src/stores/policy-in-force/memory-store.ts';
import {
  createRedisPolicyStore,
  type RedisPolicyEvent,
} from '../../src/stores/policy-in-force/redis-store.ts';
import { createRedisHandle } from '../../src/stores/redis/handle.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { toTarget } from '../support/redis-target.ts';
import { until } from '../support/test-app.ts';
import { createPut, type PolicyStoreTwin, putting, testPolicyStore } from './policy-store.ts';

const server = await startRedisServer(t);
let openings = 0;

async function openRedisStore(t: Test, keyPrefix: string, url = server.url) {
  const events: RedisPolicyEvent[] = [];
  const redis = createRedisHandle({ target: toTarget({ url, keyPrefix }), name: 'test', budgetMs: 2_000 });
  const store = createRedisPolicyStore({ redis, onEvent: (event) => events.push(event), lookIntervalMs: 20 });
  t.teardown(async () => {
    await store.close();
    await redis.close();
  });
  await until('Redis can be used', () => redis.health().state === 'up');
  return { store, redis, events };
}

const twins: readonly PolicyStoreTwin[] = [
  { id: 'process', open: async () => createMemoryPolicyStore() },
  {
    id: 'redis',
    open: async (t) => {
      openings += 1;
      return (await openRedisStore(t, `test-${openings}`)).store;
    },
    openBeside: async (t) => (await openRedisStore(t, `test-${openings}`)).store,
  },
];
for (const twin of twins) t.test(twin.id, async (t) => testPolicyStore(t, twin));

async function openKnown(t: Test, keyPrefix: string) {
  const opened = await openRedisStore(t, keyPrefix);
  await until('it is known', () => opened.store.knowledge() === 'known');
  return opened;
}

t.test('writes back what an emptied Redis has lost, also below what began since', async (t) => {
  const { store, redis, events } = await openKnown(t, 'test-lost');
  const file = createPut('file', 'file');
  await store.note(file, 'note');
  await store.change(putting('a'), 0);
  const before = store.state();
  const { policyState, policyTexts } = redis.keys;
  await redis.client.del(policyState, policyTexts);
  await until('it is back', () => events.length === 2);
  t.same(
    events.map(({ kind, in_force }) => [kind, in_force]),
    ['lost', 'restored'].map((kind) => [kind, createPut('a').hash]),
  );
  t.strictSame(store.state(), before);
  const other = await openKnown(t, 'test-lost');
  t.strictSame(other.store.state(), before);

  // A replica that knows nothing of it notes its own file in the empty Redis.
  const { text: _text, ...own } = createPut('own', 'file');
  const state = JSON.stringify({ inForce: null, rollout: null, history: [own] });
  await redis.client.del(policyTexts);
  await redis.client.hset(policyState, { version: String(Date.now() + 60_000), revision: '0', state });
  const again = await openKnown(t, 'test-lost');
  await until('all have it again', () => again.store.state().inForce !== null);
  t.equal(again.store.state().revision, before.revision);
  t.equal(again.store.state().history.length, 3, 'what was noted is kept, too');
  t.strictSame(again.store.state().changeIds, before.changeIds);
  t.equal(await again.store.find(createPut('a').hash), createPut('a').text);
});

t.test('writes back texts that were evicted', async (t) => {
  const { store, redis } = await openKnown(t, 'test-evicted');
  await store.change(putting('a'), 0);
  await redis.client.del(redis.keys.policyTexts);
  await until('they are back', async () => (await redis.client.hlen(redis.keys.policyTexts)) === 1);
  const other = await openKnown(t, 'test-evicted');
  t.strictSame(other.store.state(), store.state());
});

t.test('reads a text that was not there, as soon as it is', async (t) => {
  const { store, redis } = await openKnown(t, 'test-late-text');
  await store.change(putting('a'), 0);
  await redis.client.hset(redis.keys.policyTexts, createPut('a').hash, 'policy: milder');
  const late = (await openKnown(t, 'test-late-text')).store;
  t.equal(late.state().inForce?.text, null);
  await redis.client.hset(redis.keys.policyTexts, createPut('a').hash, createPut('a').text);
  await until('it is read', () => late.state().inForce?.text != null);
  t.strictSame(late.state(), store.state());
});

t.test('leaves what it does not understand, and takes no text for another', async (t) => {
  const { store, redis, events } = await openKnown(t, 'test-strange');
  await store.change(putting('a'), 0);
  const before = store.state();
  await redis.client.hset(redis.keys.policyState, {
    version: String(Date.now() + 1_000),
    state: '{"of":"later"}',
  });
  await until('it was read', () => store.knowledge() === 'stale');
  t.same(
    events.map(({ kind }) => kind),
    ['unreadable'],
  );
  t.strictSame(store.state(), before);
  t.equal(await store.change(putting('b'), before.revision), 'unknown');
  t.equal(await redis.client.hget(redis.keys.policyState, 'state'), '{"of":"later"}');
  await redis.client.hset(redis.keys.policyState, { version: '7', state: 'no JSON' });
  const late = await openRedisStore(t, 'test-strange');
  await until('it was read', () => late.events.length > 0);
  t.equal(late.store.knowledge(), 'loading');

  const wrong = await openKnown(t, 'test-wrong-text');
  await wrong.store.change(putting('a'), 0);
  await wrong.redis.client.hset(wrong.redis.keys.policyTexts, createPut('a').hash, 'policy: milder');
  const reader = await openKnown(t, 'test-wrong-text');
  t.match(reader.store.state().inForce, { id: 'a', text: null });
});

t.test('keeps what it knows while Redis is lost, and claims nothing', async (t) => {
  const lost = await startRedisServer(t);
  const { store } = await openRedisStore(t, 'test-down', lost.url);
  await until('it is known', () => store.knowledge() === 'known');
  await store.note(createPut('earlier', 'file'), 'earlier');
  await store.change(putting('a'), 0);
  const before = store.state();
  await lost.stop();
  await until('it is lost', () => store.knowledge() === 'stale');
  t.strictSame(store.state(), before);
  t.equal(await store.change(putting('b'), before.revision), 'unknown');
  t.equal(await store.note(createPut('file', 'file'), 'file'), false);
  t.equal(await store.find(createPut('a').hash), createPut('a').text, 'it is in force');
  await t.rejects(store.find(createPut('earlier').hash), { code: 'store_unavailable' });
});

t.test('shows a change whose reply was lost by its id, once it can look again', async (t) => {
  const { redis } = await openKnown(t, 'test-lost-reply');
  let isLosing = false;
  const run: typeof redis.guard.run = async (work) => {
    isLosing ||= String(work).includes('writePolicies');
    const reply = await redis.guard.run(work);
    return isLosing ? null : reply;
  };
  const store = createRedisPolicyStore({
    redis: { ...redis, guard: { ...redis.guard, run } },
    onEvent: () => {},
    lookIntervalMs: 20,
  });
  t.teardown(() => store.close());
  await until('it is known', () => store.knowledge() === 'known');
  t.equal(await store.change({ ...putting('a'), id: 'lost' }, 0), 'unknown');
  t.equal(store.knowledge(), 'stale');
  t.same(store.state().changeIds, []);
  let changes = 0;
  store.onChange(() => {
    changes += 1;
  });
  isLosing = false;
  await until('it is seen', () => store.state().changeIds.includes('lost'));
  t.ok(changes > 0);
  t.equal(store.state().inForce?.id, 'a');
});
