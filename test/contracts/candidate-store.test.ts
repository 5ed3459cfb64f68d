import t, { type Test } from 'tap';
import { createMemoryCandidateStore } from '../../src/stores/candidates/memory-store.ts';
import {
  createRedisCandidateStore,
  type RedisCandidateEvent,
} from '../../src/stores/candidates/redis-store.ts';
import { createRedisHandle } from '../../src/stores/redis/handle.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { toTarget } from '../support/redis-target.ts';
import { until } from '../support/test-app.ts';
import { type CandidateStoreTwin, createStored, testCandidateStore } from './candidate-store.ts';

const server = await startRedisServer(t);
let openings = 0;

async function openRedisStore(t: Test, keyPrefix: string) {
  const events: RedisCandidateEvent[] = [];
  const redis = createRedisHandle({
    target: toTarget({ url: server.url, keyPrefix }),
    name: 'test',
    budgetMs: 5_000,
  });
  const store = createRedisCandidateStore({
    redis,
    onEvent: (event) => events.push(event),
    lookIntervalMs: 20,
  });
  t.teardown(async () => {
    await store.close();
    await redis.close();
  });
  await until('Redis can be used', () => redis.health().state === 'up');
  return { store, redis, events };
}

const twins: readonly CandidateStoreTwin[] = [
  { id: 'process', open: async () => createMemoryCandidateStore() },
  {
    id: 'redis',
    open: async (t) => {
      openings += 1;
      return (await openRedisStore(t, `test-${openings}`)).store;
    },
    openBeside: async (t) => (await openRedisStore(t, `test-${openings}`)).store,
  },
];
for (const twin of twins) t.test(twin.id, async (t) => testCandidateStore(t, twin));

t.test('passes over what no replica wrote, and says that candidates were lost', async (t) => {
  const { store, redis, events } = await openRedisStore(t, 'test-lost');
  const key = redis.keys.policyCandidates;
  await store.put(createStored('a'));
  await redis.client.hset(key, 'b', 'no JSON', 'c', '{"id":"c"}');
  await redis.client.hincrby(key, '#version', 1);
  await until('it was read', async () => (await store.remove('none')) === null);
  t.strictSame(store.candidates(), [createStored('a')]);
  await redis.client.del(key);
  await until('they are gone', () => store.candidates().length === 0);
  t.same(events, [{ kind: 'lost', known_candidates: 1 }]);
  t.equal(await store.put(createStored('a')), 'kept', 'and can be registered again');
});

t.test('keeps what it knows while Redis is lost, and claims nothing', async (t) => {
  const lost = await startRedisServer(t);
  const redis = createRedisHandle({ target: toTarget({ url: lost.url }), name: 'test', budgetMs: 500 });
  const store = createRedisCandidateStore({ redis, onEvent: () => {}, lookIntervalMs: 20 });
  t.teardown(async () => {
    await store.close();
    await redis.close();
  });
  await until('Redis can be used', () => redis.health().state === 'up');
  await store.put(createStored('a'));
  await lost.stop();
  await until('it is lost', () => redis.health().state !== 'up');
  t.strictSame(store.candidates(), [createStored('a')]);
  t.equal(await store.put(createStored('b')), 'unknown');
  t.equal(await store.remove('a'), 'unknown');
});
