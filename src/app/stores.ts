import type { ActivityStore } from '../application/activity/activity-store.ts';
import type { CustodyStore } from '../application/custody/custody-store.ts';
import type { ListStore } from '../application/lists/list-store.ts';
import type { StepUpStore } from '../application/step-up/step-up-store.ts';
import { formerKeyIdOf, keyIdOf } from '../platform/keyed-hash.ts';
import { createMemoryActivityStore } from '../stores/activity/memory-store.ts';
import { createRedisActivityStore } from '../stores/activity/redis-store.ts';
import { createMemoryCustodyStore } from '../stores/custody/memory-store.ts';
import { createRedisCustodyStore } from '../stores/custody/redis-store.ts';
import type { ClosableEvidenceStore } from '../stores/evidence/closable-evidence-store.ts';
import { createMemoryEvidenceStore } from '../stores/evidence/memory-store.ts';
import { createRedisEvidenceStore } from '../stores/evidence/redis-store.ts';
import { createTieredEvidenceStore } from '../stores/evidence/tiered-evidence-store.ts';
import { createRedisGenerations, type UnknownKey } from '../stores/redis/generations.ts';
import type { RedisProblem } from '../stores/redis/inspect.ts';
import type { RedisTarget } from '../stores/redis/target.ts';
import { createMemoryStepUpStore } from '../stores/step-up/memory-store.ts';
import { createRedisStepUpStore } from '../stores/step-up/redis-store.ts';
import type { AppContext } from './context.ts';
import { openLists, openSharedSignals } from './lists.ts';
import { createMemoryLosses, type MemoryLoss } from './memory-losses.ts';
import { openRedis } from './open-redis.ts';
import type { RedisInUse } from './redis.ts';

/** What decisions remember between them. */
export interface Stores {
  readonly evidence: ClosableEvidenceStore;
  readonly custody: CustodyStore;
  readonly stepUps: StepUpStore;
  readonly activity: ActivityStore;
  /** Other replicas use the same ones. */
  readonly isShared: boolean;
  /** What is wrong with custody in the shared store; null when nothing is. */
  custodyProblem(): RedisProblem | null;
  /** How often each memory was found to be lost. */
  losses(): readonly MemoryLoss[];
  readonly lists: ListStore;
  /** Null where none are taken. */
  readonly sharedSignals: ListStore | null;
  close(): Promise<void>;
}

/** Those without files of their own. */
type OwnStores = Omit<Stores, 'lists' | 'sharedSignals'>;

/** In the process, and in Redis where there is one. Rejects where a file cannot be used. */
export async function openStores(context: AppContext, inUse: RedisInUse): Promise<Stores> {
  const stores = createStores(context, inUse);
  const isTaking = context.config.sharedSignalsFile !== null;
  const lists = await openLists(context, inUse);
  const sharedSignals = isTaking ? await openSharedSignals(context, inUse) : null;
  return {
    ...stores,
    lists,
    sharedSignals,
    close: async () => {
      await Promise.all([stores.close(), lists.close(), sharedSignals?.close()]);
    },
  };
}

function createStores(context: AppContext, inUse: RedisInUse): OwnStores {
  return inUse.target === null
    ? createMemoryStores(context)
    : createSharedStores(context, inUse, inUse.target);
}

function createMemoryStores({ config, clock, logger }: AppContext): OwnStores {
  const { cacheEntriesMax, custodyRetentionMs: retentionMs, custodyEntriesMax: entriesMax } = config;
  const onFull = () =>
    logger.warn({ event: 'custody.full', entries_max: entriesMax }, 'bindings make room for others');
  const evidence = createMemoryEvidenceStore({ clock, entriesMax: cacheEntriesMax });
  return {
    evidence,
    custody: createMemoryCustodyStore({ clock, retentionMs, entriesMax, onFull }),
    stepUps: createMemoryStepUpStore({ clock }),
    activity: createMemoryActivityStore({
      clock,
      entriesMax: config.activityEntriesMax,
      onFull: () =>
        logger.warn(
          { event: 'activity.full', entries_max: config.activityEntriesMax },
          'activity makes room for other activity',
        ),
    }),
    isShared: false,
    custodyProblem: () => null,
    losses: createMemoryLosses(logger).counts,
    close: () => evidence.close(),
  };
}

function createSharedStores(
  { config, clock, logger }: AppContext,
  inUse: RedisInUse,
  target: RedisTarget,
): OwnStores {
  const { cacheEntriesMax: entriesMax, custodyRetentionMs: retentionMs } = config;
  const memory = createMemoryEvidenceStore({ clock, entriesMax, ttlCapMs: config.localCacheTtlMs });
  const redis = openRedis({
    target,
    name: 'riskgate-evidence',
    budgetMs: config.redisTimeoutMs,
    logger,
    eventPrefix: 'redis.',
    onRefused: inUse.recheck,
  });
  const evidence = createTieredEvidenceStore({ memory, redis: createRedisEvidenceStore({ redis, clock }) });
  inUse.watch(() => evidence.health());
  const keyIds = config.idHashKeys.map(keyIdOf);
  const losses = createMemoryLosses(logger);
  const generations = createRedisGenerations({
    redis,
    clock,
    retentionMs,
    keyIds,
    onLost: losses.onLost.custody,
    onUnknownKey: ({ keyId }) =>
      logger.error(
        { event: 'custody.unknown_key', key_id: keyId },
        'Redis holds bindings under another hash key',
      ),
  });
  const custody = createRedisCustodyStore({ redis, clock, retentionMs, keyIds, generations });
  const stepUps = createRedisStepUpStore({ redis, clock, keyIds, generations });
  return {
    evidence,
    custody,
    stepUps,
    activity: createRedisActivityStore({
      redis,
      clock,
      keyIds,
      generations,
      onLost: losses.onLost.activity,
    }),
    isShared: true,
    losses: losses.counts,
    custodyProblem: () => describeUnknownKey(custody.unknownKey(), config.idHashKeys),
    close: async () => {
      await Promise.all([evidence.close(), redis.close()]);
    },
  };
}

function describeUnknownKey(unknown: UnknownKey | null, idHashKeys: readonly string[]): RedisProblem | null {
  if (unknown === null) return null;
  const { keyId } = unknown;
  const written = `Replicas write, or wrote within the retention, under the hash key ${keyId}`;
  const hint = idHashKeys.map(formerKeyIdOf).includes(keyId)
    ? `${written}, which is one of ours as an earlier release used it: replace the replicas of that release. What they bound is unknown until the retention is over.`
    : `${written}, which is not among ours: add it to ID_HASH_KEYS.`;
  return { code: 'UNKNOWN_ID_HASH_KEY', hint, commands: [] };
}
