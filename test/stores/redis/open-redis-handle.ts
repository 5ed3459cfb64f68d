import type { Test } from 'tap';
import { createRedisHandle, type RedisEvent, type RedisHandle } from '../../../src/stores/redis/handle.ts';
import { type AnyTarget, toTarget } from '../../support/redis-target.ts';
import { PATIENT_BUDGET_MS } from './watched-store.ts';

/** A connection that is up, closes with the test, and has told its events. */
export interface OpenRedisHandle extends RedisHandle {
  readonly events: readonly RedisEvent[];
}

/** Connects to a server that runs, with a budget that a busy test machine does not exceed by accident. */
export async function openRedisHandle(
  t: Test,
  options: AnyTarget & { readonly budgetMs?: number },
): Promise<OpenRedisHandle> {
  const events: RedisEvent[] = [];
  const up = Promise.withResolvers<void>();
  const redis = createRedisHandle({
    name: 'test',
    budgetMs: PATIENT_BUDGET_MS,
    probeIntervalMs: 50,
    ...options,
    target: toTarget(options),
    onEvent: (event) => {
      events.push(event);
      if (event.kind === 'up') up.resolve();
    },
  });
  t.teardown(() => redis.close());
  await up.promise;
  return { ...redis, events };
}
