import type {
  ActivityChange,
  ActivityEntity,
  ActivityStore,
} from '../../application/activity/activity-store.ts';
import type { Clock } from '../../application/clock.ts';
import type { RedisGenerations } from '../redis/generations.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { createPendingChanges } from './pending-changes.ts';
import { createRedisChanges } from './redis-changes.ts';
import { createRedisClaims } from './redis-claims.ts';
import { letterOf } from './told-changes.ts';

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
  const changes = createRedisChanges(options, () => lostAtSeconds);
  const pending = createPendingChanges({
    isUp,
    send: changes.make,
    onLost: () => {
      lostAtSeconds = Math.ceil(clock.nowMs() / 1000);
      generations.tellGap(lostAtSeconds * 1000);
      onLost?.();
    },
    ...(changesMax !== undefined && { changesMax }),
  });
  redis.onUp(() => pending.retry());
  const nowSeconds = () => Math.floor(clock.nowMs() / 1000);
  const toDated = (each: ActivityChange) => ({ change: each, atSeconds: each.atSeconds ?? nowSeconds() });
  const make = (each: ActivityChange) => new Promise<boolean>((tell) => changes.make(toDated(each), tell));

  return {
    take: (each) => (isUp() ? changes.take({ change: each, atSeconds: nowSeconds() }) : null),
    add: (each) => pending.add(each.map(toDated)),
    addNow: async (each) => isUp() && !(await Promise.all(each.map(make))).includes(false),
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
