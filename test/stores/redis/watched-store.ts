import { EventEmitter, once } from 'node:events';
import type { Test } from 'tap';
import {
  createRedisEvidenceStore,
  type LendingEvidenceStore,
  type RedisEvidenceStoreOptions,
} from '../../../src/stores/evidence/redis-store.ts';
import type { RedisStoreEvent } from '../../../src/stores/evidence/redis-store-event.ts';
import { type AnyTarget, toTarget } from '../../support/redis-target.ts';

/** A store whose events were written down, so that a test can wait for one instead of sleeping. */
export interface WatchedStore {
  readonly store: LendingEvidenceStore;
  readonly events: readonly RedisStoreEvent[];
  /** How many events of this kind there were. */
  readonly count: (kind: RedisStoreEvent['kind']) => number;
  /** Resolves once there were so many events of this kind. */
  readonly reached: (kind: RedisStoreEvent['kind'], count: number) => Promise<void>;
  /** Resolves once the store is up and hears purges. */
  readonly ready: () => Promise<void>;
}

/** A URL stands for one server. */
export type WatchOptions = Omit<RedisEvidenceStoreOptions, 'target'> & AnyTarget;

/** A budget that a busy test machine cannot exceed by accident, for tests that are about something else. */
export const PATIENT_BUDGET_MS = 2_000;

/** Opens a store that is closed with the test. It connects in the background: await `ready` where it matters. */
export function watchRedisStore(t: Test, options: WatchOptions): WatchedStore {
  const events: RedisStoreEvent[] = [];
  const emitter = new EventEmitter();
  const store = createRedisEvidenceStore({
    budgetMs: PATIENT_BUDGET_MS,
    ...options,
    target: toTarget(options),
    onEvent: (event) => {
      events.push(event);
      emitter.emit('event');
    },
  });
  t.teardown(() => store.close());
  const count = (kind: RedisStoreEvent['kind']) => events.filter((event) => event.kind === kind).length;
  const until = async (isReached: () => boolean) => {
    while (!isReached()) await once(emitter, 'event');
  };
  return {
    store,
    events,
    count,
    reached: (kind, wanted) => until(() => count(kind) >= wanted),
    ready: () => until(() => store.health().state === 'up' && store.health().hearsPurges),
  };
}
