import type {
  ActivityChange,
  ActivityEntity,
  ActivityStore,
} from '../../application/activity/activity-store.ts';
import type { Clock } from '../../application/clock.ts';
import type { RedisGenerations } from '../redis/generations.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { createPendingChanges } from './pending-changes.ts';
import { createRedisChanges, letterOf } from './redis-changes.ts';
import { createRedisClaims } from './redis-claims.ts';

interface RedisActivityStoreOptions {
  /** Its owner closes it. */
  readonly redis: RedisHandle;
  readonly clock: Clock;
  /** The ids of the hash keys of this process, the one in force first. */
  readonly keyIds: readonly string[];
  readonly generations: RedisGenerations;
  /** Called when changes were lost that Redis could not take for too long. */
  readonly onLost?: () => void;
  /** How many changes are kept for a Redis that cannot take them. */
  readonly changesMax?: number;
}

/** The store that replicas share. While Redis is lost all activity is unknown. */
export function createRedisActivityStore(options: RedisActivityStoreOptions): ActivityStore {
  const { redis, clock, generations, onLost, changesMax } = options;
  const { client, keys, guard } = redis;
  const isUp = (): boolean => guard.state() === 'up';
  let lostAtSeconds = 0;
  const change = createRedisChanges(options, () => lostAtSeconds);
  const pending = createPendingChanges({
    isUp,
    send: async (dated) => (await change(dated, false)) !== null,
    onLost: () => {
      lostAtSeconds = Math.ceil(clock.nowMs() / 1000);
      generations.tellGap(lostAtSeconds * 1000);
      onLost?.();
    },
    ...(changesMax !== undefined && { changesMax }),
  });
  redis.onUp(() => pending.retry());
  const nowSeconds = () => Math.floor(clock.nowMs() / 1000);
  const dated = (changes: readonly ActivityChange[]) =>
    changes.map((each) => ({ change: each, atSeconds: each.atSeconds ?? nowSeconds() }));

  return {
    take: (each) => (isUp() ? change({ change: each, atSeconds: nowSeconds() }, true) : null),
    add: (changes) => pending.add(dated(changes)),
    addNow: async (changes) => {
      if (!isUp()) return false;
      const done = await Promise.all(dated(changes).map((each) => change(each, false)));
      return !done.includes(null);
    },
    ...createRedisClaims(redis),
    forget: async (entities) => {
      pending.drop(entities);
      if (!isUp()) return null;
      const replies = await Promise.all(entities.map((entity) => guard.run(() => client.del(keyOf(entity)))));
      return replies.includes(null) ? null : replies.reduce<number>((sum, reply) => sum + (reply ?? 0), 0);
    },
  };

  function keyOf(entity: ActivityEntity): string {
    return keys.activity(letterOf(entity.part), entity.hash);
  }
}
