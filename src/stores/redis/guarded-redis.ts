import { createThrottle } from '../../platform/throttle.ts';
import type { RedisClient } from './connection.ts';
import { createRedisConnection } from './create-connection.ts';
import { type ConnectionHealth, createRedisGuard, type RedisGuard } from './guard.ts';
import { createRedisKeys, type RedisKeys } from './keys.ts';
import type { RedisTarget } from './target.ts';

/** What an operator wants to read of a connection in a log. Codes are constants. */
export type GuardedRedisEvent =
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly reason: string }
  | { readonly kind: 'command_refused'; readonly code: string };

interface GuardedRedisOptions {
  readonly target: RedisTarget;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /** The longest time one command may keep its caller. */
  readonly budgetMs?: number;
  readonly probeIntervalMs?: number;
  readonly onEvent?: (event: GuardedRedisEvent) => void;
}

/** One connection, or one to each node of a cluster, contained: whoever sends through the guard waits for one budget at most. */
export interface GuardedRedis {
  readonly redis: RedisClient;
  readonly guard: RedisGuard;
  readonly keys: RedisKeys;
  health(): ConnectionHealth;
  close(): Promise<void>;
}

/** A server that refuses refuses every command; one line in this time says so. */
const REFUSAL_EVENT_INTERVAL_MS = 10_000;

/** Connects in the background and returns at once, server or no server. */
export function createGuardedRedis(options: GuardedRedisOptions): GuardedRedis {
  const { target, name, budgetMs, probeIntervalMs, onEvent = () => {} } = options;
  const connection = createRedisConnection(target, name);
  const throttle = createThrottle(REFUSAL_EVENT_INTERVAL_MS, () => performance.now());
  const guard = createRedisGuard({
    connection,
    ...(budgetMs === undefined ? {} : { budgetMs }),
    ...(probeIntervalMs === undefined ? {} : { probeIntervalMs }),
    onStateChange: (state, reason) =>
      onEvent(state === 'up' ? { kind: 'up' } : { kind: 'down', reason: reason ?? 'unknown' }),
    onErrorReply: (code) => {
      if (throttle.note(code) > 0) onEvent({ kind: 'command_refused', code });
    },
  });
  return {
    redis: connection.redis,
    guard,
    keys: createRedisKeys(target.keyPrefix),
    health: () => ({ state: guard.state(), reason: guard.reason() }),
    close: async () => {
      guard.close();
      await connection.close();
    },
  };
}
