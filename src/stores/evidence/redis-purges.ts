import { isNotServing, isRedisReply, redisErrorCode } from '../redis/error-code.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { createPurgeChannel, type PurgeChannel } from '../redis/purge-channel.ts';
import { LATE, withinBudget } from '../redis/within-budget.ts';
import { TOMBSTONE } from './evidence-codec.ts';

/** The purges of all replicas, those of this one included. */
export interface RedisPurges {
  /** Buries the keys and tells every replica. False where that may not have been done. */
  purge(keys: readonly string[]): Promise<boolean>;
  /** Calls back for each purge, one of this replica before anything is sent. */
  onPurge(listener: (keys: readonly string[]) => void): void;
  /** Calls back whenever purges of others may have been missed, the first subscription included. */
  onMissed(listener: () => void): void;
  /** False while purges of others are missed. */
  isReceiving(): boolean;
  close(): Promise<void>;
}

/** An operator waits for a purge, so it may take longer than a decision's read. */
const PURGE_WAIT_MS = 1_000;

/**
 * Subscribes over a connection of its own; what it sends goes over the handle. `tombstoneMs` as of the store.
 */
export function createRedisPurges(redis: RedisHandle, tombstoneMs: number): RedisPurges {
  return new SharedPurges(redis, tombstoneMs);
}

class SharedPurges implements RedisPurges {
  readonly #redis: RedisHandle;
  readonly #tombstoneMs: number;
  readonly #channel: PurgeChannel;
  readonly #purgeListeners: ((keys: readonly string[]) => void)[] = [];
  readonly #missedListeners: (() => void)[] = [];

  constructor(redis: RedisHandle, tombstoneMs: number) {
    this.#redis = redis;
    this.#tombstoneMs = tombstoneMs;
    this.#channel = this.#subscribe(redis);
    redis.onUp((downReason) => this.#noteUp(downReason));
  }

  async purge(keys: readonly string[]): Promise<boolean> {
    // Listeners are called first, and the commands are sent in the same turn: no read of this connection lies
    // between.
    this.#tellPurged(keys);
    if (keys.length === 0) return true;
    try {
      return (await withinBudget(this.#bury(keys), PURGE_WAIT_MS)) !== LATE;
    } catch (error) {
      if (isRedisReply(error))
        this.#redis.reportRefusal({ kind: 'command_refused', code: redisErrorCode(error) });
      return false;
    }
  }

  onPurge(listener: (keys: readonly string[]) => void): void {
    this.#purgeListeners.push(listener);
  }

  onMissed(listener: () => void): void {
    this.#missedListeners.push(listener);
  }

  isReceiving(): boolean {
    return this.#channel.isSubscribed();
  }

  close(): Promise<void> {
    return this.#channel.close();
  }

  #tellPurged(keys: readonly string[]): void {
    for (const listener of this.#purgeListeners) listener(keys);
  }

  /**
   * Tombstones first, then the message: who receives it finds nothing left to read. Rejects when any was
   * refused.
   */
  async #bury(keys: readonly string[]): Promise<void> {
    const { client, keys: redisKeys } = this.#redis;
    const tombstones = keys.map((key) =>
      client.set(redisKeys.evidence(key), TOMBSTONE, 'PX', this.#tombstoneMs),
    );
    const message = client.publish(redisKeys.purgeChannel, this.#channel.toMessage(keys));
    await Promise.all([...tombstones, message]);
  }

  #noteUp(downReason: string | null): void {
    // The connection was made again, and leads to a server that serves.
    if (downReason !== null && isNotServing(downReason)) this.#channel.renew(downReason);
    else if (downReason !== null) this.#channel.check();
  }

  #subscribe(redis: RedisHandle): PurgeChannel {
    const { client, guard, keys } = redis;
    return createPurgeChannel({
      connection: redis.openSubscriber('riskgate-purges'),
      channel: keys.purgeChannel,
      publish: async (text) =>
        guard.admits() && (await guard.run(() => client.publish(keys.purgeChannel, text))) !== null,
      onPurged: (purged) => this.#tellPurged(purged),
      onSubscribed: () => {
        for (const listener of this.#missedListeners) listener();
        redis.report({ kind: 'subscribed' });
      },
      onUnsubscribed: (reason) => redis.report({ kind: 'unsubscribed', reason }),
      onMessageRefused: () => redis.reportRefusal({ kind: 'message_refused' }),
    });
  }
}
