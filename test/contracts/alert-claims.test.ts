import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type AlertClaims, SETTLE_MS, TOLD_MS } from '../../src/application/alerts/alert-claims.ts';
import { createMemoryAlertClaims } from '../../src/stores/alerts/memory-claims.ts';
import { createRedisAlertClaims } from '../../src/stores/alerts/redis-claims.ts';
import { openRedisHandle } from '../stores/redis/open-redis-handle.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { createManualClock } from '../support/test-app.ts';

interface Twin {
  readonly id: string;
  /** `age` lets what was told of an alert seem older. */
  open(t: Test): Promise<{ readonly claims: AlertClaims; age(name: string, ms: number): Promise<void> }>;
}

const server = await startRedisServer(t);
let openings = 0;

const TWINS: readonly Twin[] = [
  {
    id: 'memory',
    open: async () => {
      const clock = createManualClock();
      return { claims: createMemoryAlertClaims(clock), age: async (_name, ms) => clock.advance(ms) };
    },
  },
  {
    id: 'redis',
    open: async (t) => {
      openings += 1;
      const redis = await openRedisHandle(t, { url: server.url, keyPrefix: `alerts-${openings}` });
      return {
        claims: createRedisAlertClaims(redis),
        age: async (name, ms) => {
          const key = redis.keys.alert(name);
          await redis.client.pexpire(key, Math.max(1, (await redis.client.pttl(key)) - ms));
          if (ms >= TOLD_MS) await delay(20);
        },
      };
    },
  },
];

for (const twin of TWINS) {
  t.test(`the ${twin.id} claims let one tell of each change`, async (t) => {
    const { claims } = await twin.open(t);
    t.equal(await claims.claim('a', 'resolved', false), false, 'nobody was told that it fires');
    t.equal(await claims.claim('a', 'firing', false), true);
    t.equal(await claims.claim('a', 'firing', false), false);
    t.equal(await claims.claim('a', 'firing', true), false);
    t.equal(await claims.claim('b', 'firing', false), true, 'of another alert');
    t.equal(await claims.claim('a', 'resolved', false), true);
    t.equal(await claims.claim('a', 'resolved', false), false);
    t.equal(await claims.claim('a', 'firing', false), true, 'again');
  });

  t.test(`the ${twin.id} claims let replicas differ for a while, and remind after a day`, async (t) => {
    const { claims, age } = await twin.open(t);
    await claims.claim('a', 'firing', false);
    await claims.claim('a', 'resolved', false);
    t.equal(await claims.claim('a', 'firing', true), false, 'another replica is a little behind');
    await age('a', SETTLE_MS);
    t.equal(await claims.claim('a', 'firing', true), true, 'it still fires there');
    t.equal(await claims.claim('a', 'firing', true), false);
    await age('a', TOLD_MS);
    t.equal(await claims.claim('a', 'firing', true), true, 'a day later');
  });
}

t.test('says nothing where Redis cannot say', async (t) => {
  const redis = await openRedisHandle(t, { url: server.url, keyPrefix: 'alerts-lost' });
  const claims = createRedisAlertClaims({ ...redis, guard: { ...redis.guard, admits: () => false } });
  t.equal(await claims.claim('a', 'firing', false), null);
  const late = createRedisAlertClaims({
    ...redis,
    guard: { ...redis.guard, admits: () => true, run: async () => null },
  });
  t.equal(await late.claim('a', 'firing', false), null);
});
