import type { Test } from 'tap';
import {
  createGuardedRedis,
  type GuardedRedis,
  type GuardedRedisEvent,
} from '../../../src/stores/redis/guarded-redis.ts';
import { type AnyTarget, toTarget } from '../../support/redis-target.ts';
import { PATIENT_BUDGET_MS } from './watched-store.ts';

/** A connection that is up, closes with the test, and has told its events. */
export interface OpenGuardedRedis extends GuardedRedis {
  readonly events: readonly GuardedRedisEvent[];
}

/** Connects to a server that runs, with a budget that a busy test machine does not exceed by accident. */
export async function openGuardedRedis(
  t: Test,
  options: AnyTarget & { readonly budgetMs?: number },
): Promise<OpenGuardedRedis> {
  const events: GuardedRedisEvent[] = [];
  const up = Promise.withResolvers<void>();
  const redis = createGuardedRedis({
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
