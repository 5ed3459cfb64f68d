import t, { type Test } from 'tap';
import { createMemoryActivityStore } from '../../src/stores/activity/memory-store.ts';
import { watchRedisStore } from '../stores/redis/watched-store.ts';
import { startRedisServer } from '../support/redis-server.ts';
import type { ManualClock } from '../support/test-app.ts';
import { type ActivityStoreTwin, openRedisActivity, testActivityStore } from './activity-store.ts';

const server = await startRedisServer(t);
let deployments = 0;

const memory: ActivityStoreTwin = {
  id: 'memory',
  open: async (_t, clock) => createMemoryActivityStore({ clock }),
};
const redis: ActivityStoreTwin = { id: 'redis', open: openRedis };

const looped: string[] = [];
for (const twin of [memory, redis]) {
  looped.push(twin.id);
  t.test(`the ${twin.id} store keeps the contract of activity`, async (t) => testActivityStore(t, twin));
}
t.same(looped, ['memory', 'redis'], 'the suite looped over all stores');

/** Each opening gets a key prefix of its own. */
async function openRedis(t: Test, clock: ManualClock) {
  deployments += 1;
  const keyPrefix = `test-${deployments}`;
  const { redis, ready } = watchRedisStore(t, { url: server.url, clock, keyPrefix });
  await ready();
  return openRedisActivity(redis, clock);
}
