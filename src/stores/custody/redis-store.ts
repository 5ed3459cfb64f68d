import type { Clock } from '../../application/clock.ts';
import type { CustodyStore } from '../../application/custody/custody-store.ts';
import { createRedisGenerations, type RedisGenerations, type UnknownKey } from '../redis/generations.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';
import { custodyLifeMs } from './custody-life.ts';
import { createPendingKeeps } from './pending-keeps.ts';
import { KEEP } from './redis-scripts.ts';
import { createRedisUses } from './redis-uses.ts';

interface RedisCustodyStoreOptions {
  /** Its owner closes it. */
  readonly redis: RedisHandle;
  readonly clock: Clock;
  /** A binding that is to be kept is so for at least this long after its latest use. */
  readonly retentionMs: number;
  /**
   * The ids of the hash keys that the names of this process are made with, the one in force first: each use
   * has one name for each.
   */
  readonly keyIds: readonly string[];
  /** Called when Redis turns out to have lost bindings; not more often than once in ten seconds. */
  readonly onLost?: () => void;
  /**
   * Called when others write under a hash key that is not known here; not more often than once in ten
   * seconds.
   */
  readonly onUnknownKey?: (key: UnknownKey) => void;
  /** Those of the handle, where another store has them too; own ones otherwise. */
  readonly generations?: RedisGenerations;
}

interface RedisCustodyStore extends CustodyStore {
  /**
   * The hash key that others wrote under within the retention and that this process does not know; null where
   * there is none.
   */
  unknownKey(): UnknownKey | null;
}

type CustodyScripts = {
  keepTelemetry(...keysAndArguments: readonly (string | number)[]): Promise<unknown>;
};

/**
 * The store that replicas share, on a connection that they share with evidence. While Redis is lost custody
 * is unknown: no replica's memory could speak for the others.
 */
export function createRedisCustodyStore(options: RedisCustodyStoreOptions): RedisCustodyStore {
  const { redis, clock, retentionMs, keyIds } = options;
  const { client, keys, guard } = redis;
  // The number of keys is fixed: ioredis tells the slot of what it batches itself from the first argument.
  const scripted = withScripts<CustodyScripts>(client, {
    keepTelemetry: { numberOfKeys: keyIds.length, lua: KEEP },
  });
  const { generations = createRedisGenerations(options) } = options;
  const use = createRedisUses(options, generations);

  const keeps = createPendingKeeps({
    monotonicMs: () => clock.monotonicMs(),
    isUp: () => guard.state() === 'up',
    send: async ({ hashes, validUntilMs }) => {
      const lifeMs = custodyLifeMs(retentionMs, validUntilMs, clock.nowMs());
      const redisKeys = hashes.map((hash) => keys.custody(hash));
      const reply = await guard.run(() => scripted.keepTelemetry(...redisKeys, lifeMs, validUntilMs ?? ''));
      return reply !== null;
    },
  });
  redis.onUp(() => keeps.retry());

  return {
    // A Redis that is merely suspected is asked all the same: a late reply to another request
    // makes no custody unknown.
    use: (names) => (guard.state() === 'up' ? use(names) : null),
    keep: (hashes, validUntilMs) => keeps.add({ hashes, validUntilMs }),
    forget: async (hashes) => {
      keeps.drop(hashes);
      if (guard.state() !== 'up') return null;
      const removed = await guard.run(() => client.del(...hashes.map((hash) => keys.custody(hash))));
      return removed === null ? null : Math.min(removed, 1);
    },
    unknownKey: () => generations.unknownKey(),
  };
}
