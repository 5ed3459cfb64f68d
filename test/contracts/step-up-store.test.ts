import t, { type Test } from 'tap';
import { createMemoryStepUpStore } from '../../src/stores/step-up/memory-store.ts';
import { watchRedisStore } from '../stores/redis/watched-store.ts';
import { startRedisServer } from '../support/redis-server.ts';
import type { ManualClock } from '../support/test-app.ts';
import { openRedisStepUps, type StepUpStoreTwin, testStepUpStore } from './step-up-store.ts';

const server = await startRedisServer(t);
let deployments = 0;

const memory: StepUpStoreTwin = {
  id: 'memory',
  open: async (_t, clock) => createMemoryStepUpStore({ clock }),
};
const redis: StepUpStoreTwin = { id: 'redis', open: openRedis };

const looped: string[] = [];
for (const twin of [memory, redis]) {
  looped.push(twin.id);
  t.test(`the ${twin.id} store keeps the contract of step-ups`, async (t) => testStepUpStore(t, twin));
}
t.same(looped, ['memory', 'redis'], 'the suite looped over all stores');

/** Each opening gets a key prefix of its own. */
async function openRedis(t: Test, clock: ManualClock) {
  deployments += 1;
  const { redis, ready } = watchRedisStore(t, { url: server.url, clock, keyPrefix: `test-${deployments}` });
  await ready();
  return openRedisStepUps(redis, clock);
}
