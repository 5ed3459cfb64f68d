import { createThrottle } from '../platform/throttle.ts';
import type { WebhookOutbox } from '../platform/webhooks/webhook-outbox.ts';
import { openFileOutbox } from '../stores/webhooks/file-outbox.ts';
import { createRedisOutbox } from '../stores/webhooks/redis-outbox.ts';
import type { AppContext } from './context.ts';
import { fileBesideHistory } from './file-beside-history.ts';
import { openRedis } from './open-redis.ts';
import type { RedisInUse } from './redis.ts';

/** Nobody waits for these commands. */
const BUDGET_MS = 2_000;
const FAILURES_INTERVAL_MS = 60_000;

interface OpenedOutbox {
  /** Null keeps nothing. */
  readonly outbox: WebhookOutbox | null;
  close(): Promise<void>;
}

const NOTHING: OpenedOutbox = { outbox: null, close: async () => {} };

/**
 * Opens what keeps webhooks that wait: Redis, else a file in `DATA_DIR`. Without either, or where the file cannot
 * be used, they are forgotten by a restart, which is said: decisions do not depend on it.
 */
export function openWebhookOutbox(
  context: AppContext,
  inUse: RedisInUse,
  targets: readonly string[],
): OpenedOutbox {
  const { logger, clock } = context;
  if (targets.length === 0) return NOTHING;
  const failures = createThrottle(FAILURES_INTERVAL_MS, () => clock.monotonicMs());
  const onFailed = (why: string) => {
    const count = failures.note('webhook');
    if (count > 0)
      logger.warn({ event: 'webhook.not_kept', why, count }, 'webhooks wait in memory alone for the moment');
  };
  if (inUse.target !== null) {
    const redis = openRedis({
      target: inUse.target,
      name: 'riskgate-webhooks',
      budgetMs: BUDGET_MS,
      logger,
      eventPrefix: 'webhook.redis_',
      onRefused: inUse.recheck,
    });
    inUse.watch(() => redis.health());
    const outbox = createRedisOutbox({ redis, nowMs: () => clock.nowMs(), onFailed });
    return { outbox, close: () => redis.close() };
  }
  const path = fileBesideHistory(context, 'webhooks.sqlite');
  if (path === null) {
    onFailed('no_place');
    return NOTHING;
  }
  try {
    const outbox = openFileOutbox({ path, targets, onFailed });
    return { outbox, close: async () => outbox.close() };
  } catch (error) {
    onFailed(String(error instanceof Error ? (Reflect.get(error, 'code') ?? error.name) : error));
    return NOTHING;
  }
}
