import { createReview } from '../application/review/review.ts';
import type { ReviewStore } from '../application/review/review-store.ts';
import type { ReviewDependencies } from '../http/routes/review.ts';
import { openFileReviewStore } from '../stores/review/file-store.ts';
import { createMemoryReviewStore } from '../stores/review/memory-store.ts';
import { createRedisReviewStore } from '../stores/review/redis-store.ts';
import type { AppContext } from './context.ts';
import { fileBesideHistory } from './file-beside-history.ts';
import { openRedis } from './open-redis.ts';
import type { RedisInUse } from './redis.ts';

/** Budget of commands: people wait for them, and no decision does. */
const BUDGET_MS = 1_000;

/** Queues of reviews and who takes what: in Redis, else in a file beside the history, else in this process. */
export async function wireReview(
  context: AppContext,
  inUse: RedisInUse,
): Promise<ReviewDependencies & { close(): Promise<void> }> {
  const { store, close } = await openStore(context, inUse);
  return {
    review: createReview({ store, clock: context.clock }),
    close: async () => {
      await store.close();
      await close();
    },
  };
}

async function openStore(
  context: AppContext,
  inUse: RedisInUse,
): Promise<{ readonly store: ReviewStore; close(): Promise<void> }> {
  const { logger, clock } = context;
  if (inUse.target !== null) {
    const redis = openRedis({
      target: inUse.target,
      name: 'riskgate-review',
      budgetMs: BUDGET_MS,
      logger,
      eventPrefix: 'review.redis_',
      onRefused: inUse.recheck,
    });
    inUse.watch(() => redis.health());
    return { store: createRedisReviewStore(redis), close: () => redis.close() };
  }
  const path = fileBesideHistory(context, 'review-queues.json');
  const onFailure = (code: string) =>
    logger.error({ event: 'review.file_failed', code }, 'the file of review queues cannot be written');
  const store =
    path === null
      ? createMemoryReviewStore({ clock })
      : await openFileReviewStore({ path, clock, onFailure });
  return { store, close: async () => {} };
}
