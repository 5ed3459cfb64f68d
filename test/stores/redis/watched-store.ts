import { EventEmitter, once } from 'node:events';
import type { Test } from 'tap';
import {
  createRedisEvidenceStore,
  type RedisEvidenceStore,
  type RedisEvidenceStoreOptions,
} from '../../../src/stores/evidence/redis-store.ts';
import {
  createRedisHandle,
  type RedisEvent,
  type RedisHandle,
  type RedisHandleOptions,
} from '../../../src/stores/redis/handle.ts';
import { type AnyTarget, toTarget } from '../../support/redis-target.ts';

/** A store whose events were written down, so that a test can wait for one instead of sleeping. */
export interface WatchedStore {
  /** Its `close` closes the handle as well. */
  readonly store: RedisEvidenceStore;
  /** Other stores may use it too. */
  readonly redis: RedisHandle;
  readonly events: readonly RedisEvent[];
  /** How many events of this kind there were. */
  readonly count: (kind: RedisEvent['kind']) => number;
  /** Resolves once there were so many events of this kind. */
  readonly reached: (kind: RedisEvent['kind'], count: number) => Promise<void>;
  /** Resolves once the store is up and receives purges. */
  readonly ready: () => Promise<void>;
}

/** A URL stands for one server. */
export type WatchOptions = Omit<RedisEvidenceStoreOptions, 'redis'> &
  Pick<RedisHandleOptions, 'budgetMs' | 'probeIntervalMs'> &
  AnyTarget;

/** A budget that a busy test machine cannot exceed by accident, for tests that are about something else. */
export const PATIENT_BUDGET_MS = 2_000;

/**
 * Opens a store that is closed with the test. It connects in the background: await `ready` where it matters.
 */
export function watchRedisStore(t: Test, options: WatchOptions): WatchedStore {
  const events: RedisEvent[] = [];
  const emitter = new EventEmitter();
  const redis = createRedisHandle({
    name: 'riskgate-evidence',
    budgetMs: PATIENT_BUDGET_MS,
    ...options,
    target: toTarget(options),
    onEvent: (event) => {
      events.push(event);
      emitter.emit('event');
    },
  });
  const store = createRedisEvidenceStore({ ...options, redis });
  const closeStore = store.close.bind(store);
  store.close = async () => void (await Promise.all([closeStore(), redis.close()]));
  t.teardown(() => store.close());
  const count = (kind: RedisEvent['kind']) => events.filter((event) => event.kind === kind).length;
  const until = async (isReached: () => boolean) => {
    while (!isReached()) await once(emitter, 'event');
  };
  return {
    store,
    redis,
    events,
    count,
    reached: (kind, wanted) => until(() => count(kind) >= wanted),
    ready: () => until(() => store.health().state === 'up' && store.health().receivesPurges),
  };
}
