import t from 'tap';
import { watchRedisStore } from '../stores/redis/watched-store.ts';
import { startRedisSentinels, toSentinelTarget } from '../support/redis-sentinels.ts';
import type { ManualClock } from '../support/test-app.ts';
import { openRedisActivity, testActivityStore } from './activity-store.ts';
import { openRedisStepUps, testStepUpStore } from './step-up-store.ts';

const sentinels = await startRedisSentinels(t);
let openings = 0;

/** Each opening gets a key prefix of its own. */
async function openRedis(t: Parameters<typeof watchRedisStore>[0], clock: ManualClock) {
  openings += 1;
  const target = toSentinelTarget(sentinels, `test-${openings}`);
  const { redis, ready } = watchRedisStore(t, { target, clock });
  await ready();
  return redis;
}

t.test('activity behind sentinels keeps the contract', async (t) => {
  testActivityStore(t, {
    id: 'sentinel',
    open: async (t, clock) => openRedisActivity(await openRedis(t, clock), clock),
  });
});

t.test('step-ups behind sentinels keep the contract', async (t) => {
  testStepUpStore(t, {
    id: 'sentinel',
    open: async (t, clock) => openRedisStepUps(await openRedis(t, clock), clock),
  });
});
