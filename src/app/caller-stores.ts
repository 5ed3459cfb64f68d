import type { Logger } from 'pino';
import type { IdempotencyStore } from '../application/callers/idempotency-store.ts';
import type { RequestCounter } from '../application/callers/request-counter.ts';
import type { SessionStore } from '../application/callers/session-store.ts';
import type { Clock } from '../application/clock.ts';
import { createMemoryRequestCounter } from '../stores/callers/memory-counter.ts';
import { createMemoryIdempotencyStore } from '../stores/callers/memory-idempotency.ts';
import { createMemorySessionStore } from '../stores/callers/memory-sessions.ts';
import { createRedisRequestCounter } from '../stores/callers/redis-counter.ts';
import { createRedisIdempotencyStore } from '../stores/callers/redis-idempotency.ts';
import { createRedisSessionStore } from '../stores/callers/redis-sessions.ts';
import { createTieredRequestCounter } from '../stores/callers/tiered-counter.ts';
import type { ConnectionHealth } from '../stores/redis/guard.ts';
import type { RedisTarget } from '../stores/redis/target.ts';
import { openRedis } from './open-redis.ts';

/** What is kept about callers: how much they asked, what they were answered, and who is signed in. */
interface CallerStores {
  readonly requestCounter: RequestCounter;
  readonly idempotency: IdempotencyStore;
  /** Null where nobody can sign in. */
  readonly sessions: SessionStore | null;
  /** Of the connection of counts and idempotency keys to Redis; null without one. */
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
  /** False opens no connection for sessions. */
  readonly hasSessions: boolean;
}

/**
 * What a decision can spare on top of its deadline, which is answered within 20 ms of it. A request waits for
 * it once at most: the first command that is late keeps the next from being sent.
 */
const BUDGET_MS = 15;
/** People who look at the page wait, and a decision does not wait for them. */
const SESSION_BUDGET_MS = 1_000;

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
  hasSessions,
}: CallerStoresOptions): CallerStores {
  const memory = createMemoryRequestCounter({ clock });
  if (target === null) {
    return {
      requestCounter: memory,
      idempotency: createMemoryIdempotencyStore({ clock }),
      sessions: hasSessions ? createMemorySessionStore({ clock }) : null,
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
  const sessions = hasSessions
    ? openRedis({
        target,
        name: 'riskgate-sessions',
        budgetMs: SESSION_BUDGET_MS,
        logger,
        eventPrefix: 'session_store.',
        onRefused,
      })
    : null;
  return {
    requestCounter: createTieredRequestCounter({ memory, redis: createRedisRequestCounter(redis, clock) }),
    idempotency: createRedisIdempotencyStore(redis),
    sessions: sessions === null ? null : createRedisSessionStore(sessions),
    health: redis.health,
    close: async () => {
      await Promise.all([redis.close(), sessions?.close()]);
    },
  };
}
