import t, { type Test } from 'tap';
import { createMemoryCustodyStore } from '../../src/stores/custody/memory-store.ts';
import { createRedisCustodyStore } from '../../src/stores/custody/redis-store.ts';
import { watchRedisStore } from '../stores/redis/watched-store.ts';
import { startRedisServer } from '../support/redis-server.ts';
import type { ManualClock } from '../support/test-app.ts';
import {
  type CustodyStoreTwin,
  type OpenCustodyStore,
  RETENTION_MS,
  testCustodyStore,
} from './custody-store.ts';

const server = await startRedisServer(t);
let deployments = 0;

const memory: CustodyStoreTwin = {
  id: 'memory',
  open: async (_t, clock) => {
    const store = createMemoryCustodyStore({ clock, retentionMs: RETENTION_MS });
    return { store, lifeMs: async (key) => store.lifeMs(key) };
  },
};
const redis: CustodyStoreTwin = { id: 'redis', open: openRedis };

const looped: string[] = [];
for (const twin of [memory, redis]) {
  looped.push(twin.id);
  t.test(`the ${twin.id} store keeps the contract of custody`, async (t) => testCustodyStore(t, twin));
}
t.same(looped, ['memory', 'redis'], 'the suite looped over all stores');

/** Each opening gets a key prefix of its own. */
async function openRedis(t: Test, clock: ManualClock): Promise<OpenCustodyStore> {
  deployments += 1;
  const keyPrefix = `test-${deployments}`;
  const { redis, ready } = watchRedisStore(t, { url: server.url, clock, keyPrefix });
  await ready();
  return {
    store: createRedisCustodyStore({ redis, clock, keyIds: ['aa'], retentionMs: RETENTION_MS }),
    lifeMs: async (key) => {
      // Sent on the same connection, and so answered after what was learnt.
      const lifeMs = await redis.client.pttl(redis.keys.custody(key));
      return lifeMs < 0 ? null : lifeMs;
    },
  };
}
