import type { Logger } from 'pino';
import type { IdempotencyStore } from '../application/callers/idempotency-store.ts';
import type { RequestCounter } from '../application/callers/request-counter.ts';
import type { Clock } from '../application/clock.ts';
import { createMemoryRequestCounter } from '../stores/callers/memory-counter.ts';
import { createMemoryIdempotencyStore } from '../stores/callers/memory-idempotency.ts';
import { createRedisRequestCounter } from '../stores/callers/redis-counter.ts';
import { createRedisIdempotencyStore } from '../stores/callers/redis-idempotency.ts';
import { createTieredRequestCounter } from '../stores/callers/tiered-counter.ts';
import type { ConnectionHealth } from '../stores/redis/guard.ts';
import type { RedisTarget } from '../stores/redis/target.ts';
import { openRedis } from './open-redis.ts';

/** What is kept about callers: how much they asked, and what they were answered. */
interface CallerStores {
  readonly requestCounter: RequestCounter;
  readonly idempotency: IdempotencyStore;
  /** Of their connection to Redis; null without one. */
  health(): ConnectionHealth | null;
  close(): Promise<void>;
}

interface CallerStoresOptions {
  readonly clock: Clock;
  /** Null keeps everything in this process. */
  readonly target: RedisTarget | null;
  /** The longest a command may keep its caller. */
  readonly redisTimeoutMs: number;
  readonly logger: Logger;
  /** Told when Redis refuses a command. */
  readonly onRefused: (code: string) => void;
}

/**
 * What a decision can spare on top of its deadline, which is answered within 20 ms of it. A request waits for
 * it once at most: the first command that is late keeps the next from being sent.
 */
const BUDGET_MS = 15;

/**
 * Opens the stores, shared where there is a Redis. Its connection is their own: a caller's burst does not
 * queue before the evidence of others.
 */
export function createCallerStores({
  clock,
  target,
  redisTimeoutMs,
  logger,
  onRefused,
}: CallerStoresOptions): CallerStores {
  const memory = createMemoryRequestCounter({ clock });
  if (target === null) {
    return {
      requestCounter: memory,
      idempotency: createMemoryIdempotencyStore({ clock }),
      health: () => null,
      close: async () => {},
    };
  }
  const redis = openRedis({
    target,
    name: 'riskgate-callers',
    budgetMs: Math.min(BUDGET_MS, redisTimeoutMs),
    logger,
    eventPrefix: 'caller_store.',
    onRefused,
  });
  return {
    requestCounter: createTieredRequestCounter({ memory, redis: createRedisRequestCounter(redis, clock) }),
    idempotency: createRedisIdempotencyStore(redis),
    health: redis.health,
    close: () => redis.close(),
  };
}
