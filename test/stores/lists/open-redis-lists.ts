import type { Test } from 'tap';
import type { Clock } from '../../../src/application/clock.ts';
import type { ListStore } from '../../../src/application/lists/list-store.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { createRedisListStore, type RedisListEvent } from '../../../src/stores/lists/redis-store.ts';
import { createListTable } from '../../contracts/list-store.ts';
import type { AnyTarget } from '../../support/redis-target.ts';
import { until } from '../../support/test-app.ts';
import { type OpenRedisHandle, openRedisHandle } from '../redis/open-redis-handle.ts';

/** A store of lists on a handle of its own, what it told, and its table. */
export interface OpenRedisLists {
  readonly store: ListStore;
  readonly redis: OpenRedisHandle;
  readonly events: readonly RedisListEvent[];
  /** The kinds of what it told. */
  kinds(): readonly string[];
}

/** Opens a store that has read its lists and closes with the test. */
export async function openTestRedisLists(
  t: Test,
  target: AnyTarget & { readonly budgetMs?: number },
  clock: Clock = systemClock,
  lookIntervalMs = 50,
): Promise<OpenRedisLists> {
  const redis = await openRedisHandle(t, target);
  const events: RedisListEvent[] = [];
  const store = createRedisListStore({
    redis,
    clock,
    table: createListTable(),
    onEvent: (event) => void events.push(event),
    lookIntervalMs,
  });
  t.teardown(() => store.close());
  await until('the lists are read', () => store.knowledge() !== 'loading');
  return { store, redis, events, kinds: () => events.map(({ kind }) => kind) };
}
