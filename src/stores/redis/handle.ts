import type { Redis } from 'ioredis';
import { createThrottle } from '../../platform/throttle.ts';
import type { RedisClient, RedisConnection } from './connection.ts';
import { createRedisConnection, createRedisSubscriber } from './create-connection.ts';
import { type ConnectionHealth, createRedisGuard, type RedisGuard } from './guard.ts';
import { createRedisKeys, type RedisKeys } from './keys.ts';
import type { RedisTarget } from './target.ts';
import { type AtTurnEnd, createTurnEnd } from './turn-end.ts';

/** What an operator wants to read of a connection in a log. Codes are constants; `key` holds a keyed hash. */
export type RedisEvent =
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly reason: string }
  | { readonly kind: 'subscribed' }
  | { readonly kind: 'unsubscribed'; readonly reason: string }
  | RedisRefusal;

/** What Redis refused, or what was found in it and is not ours. */
type RedisRefusal =
  | { readonly kind: 'command_refused'; readonly code: string }
  | { readonly kind: 'value_refused'; readonly key: string }
  | { readonly kind: 'message_refused' };

/** What the handle connects to, and within which bounds. */
export interface RedisHandleOptions {
  readonly target: RedisTarget;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /** The longest time one command may keep its caller. */
  readonly budgetMs?: number;
  readonly probeIntervalMs?: number;
  readonly onEvent?: (event: RedisEvent) => void;
}

/**
 * All that a store needs of Redis: one connection for commands, or one to each node of a cluster, with the
 * guard that every command is sent through, so that nobody waits for longer than one budget. Stores that
 * share a handle share its batches, its suspicion and its recovery. Its owner closes it, after the stores on
 * it.
 */
export interface RedisHandle {
  readonly client: RedisClient;
  /** Then the keys of one call have to be of one slot. */
  readonly isCluster: boolean;
  readonly guard: RedisGuard;
  readonly keys: RedisKeys;
  /** What is sent at the end of one turn leaves in one write where one server answers. */
  readonly atTurnEnd: AtTurnEnd;
  /**
   * Calls back each time Redis can be used, the first time included, after the event was told. `downReason`
   * says why it could not be used before, as the guard does; null where nothing was known yet.
   */
  onUp(listener: (downReason: string | null) => void): void;
  /** Reports an event to the observer of the handle. */
  report(event: Exclude<RedisEvent, RedisRefusal>): void;
  /** The same of a refusal, of each kind and code at most once in ten seconds. */
  reportRefusal(refusal: RedisRefusal): void;
  /** Another connection to the same target, for subscriptions. Who opens it closes it. */
  openSubscriber(name: string): RedisConnection<Redis>;
  health(): ConnectionHealth;
  /** Says goodbye and disconnects, within about a second. Never rejects. */
  close(): Promise<void>;
}

/** A server that refuses refuses every command; one event in this time says so. */
const REFUSAL_INTERVAL_MS = 10_000;

/** Connects in the background and returns at once, server or no server. */
export function createRedisHandle(options: RedisHandleOptions): RedisHandle {
  const { target, name, budgetMs, probeIntervalMs, onEvent = () => {} } = options;
  const connection = createRedisConnection(target, name);
  const upListeners: ((downReason: string | null) => void)[] = [];
  const refusals = createThrottle(REFUSAL_INTERVAL_MS, () => performance.now());
  const reportRefusal = (refusal: RedisRefusal): void => {
    const what = 'code' in refusal ? `${refusal.kind} ${refusal.code}` : refusal.kind;
    if (refusals.note(what) > 0) onEvent(refusal);
  };
  const onStateChange = (state: 'up' | 'down', reason: string | null): void => {
    onEvent(state === 'up' ? { kind: 'up' } : { kind: 'down', reason: reason ?? 'unknown' });
    if (state === 'up') for (const listener of upListeners) listener(guard.downReason());
  };
  const guard: RedisGuard = createRedisGuard({
    connection,
    ...(budgetMs === undefined ? {} : { budgetMs }),
    ...(probeIntervalMs === undefined ? {} : { probeIntervalMs }),
    onStateChange,
    onErrorReply: (code) => reportRefusal({ kind: 'command_refused', code }),
  });
  return {
    client: connection.redis,
    isCluster: connection.isCluster,
    guard,
    keys: createRedisKeys(target.keyPrefix),
    atTurnEnd: createTurnEnd(connection.inOneWrite),
    onUp: (listener) => void upListeners.push(listener),
    report: onEvent,
    reportRefusal,
    openSubscriber: (subscriberName) => createRedisSubscriber(target, subscriberName),
    health: () => ({ state: guard.state(), reason: guard.reason() }),
    close: async () => {
      guard.close();
      await connection.close();
    },
  };
}
