import type { Logger } from 'pino';
import type { Clock, CustodyStore } from '../application/ports.ts';
import type { Config } from '../config.ts';
import type { ClosableEvidenceStore } from '../stores/closable-evidence-store.ts';
import { createMemoryCustodyStore } from '../stores/memory/custody-store.ts';
import { createMemoryEvidenceStore } from '../stores/memory/evidence-store.ts';
import { createRedisCustodyStore } from '../stores/redis/custody-store.ts';
import { createRedisEvidenceStore, type RedisStoreEvent } from '../stores/redis/evidence-store.ts';
import type { RedisTarget } from '../stores/redis/target.ts';
import { createTieredEvidenceStore } from '../stores/tiered-evidence-store.ts';

/** What decisions remember between them. */
export interface Stores {
  readonly evidence: ClosableEvidenceStore;
  readonly custody: CustodyStore;
}

/** In the process, and in Redis where there is a target. `onRefused` is told when Redis refuses a command. */
export function createStores(
  config: Config,
  target: RedisTarget | null,
  clock: Clock,
  logger: Logger,
  onRefused: () => void,
): Stores {
  const { cacheEntriesMax: entriesMax, custodyRetentionMs: retentionMs } = config;
  if (target === null) {
    const onFull = () =>
      logger.warn(
        { event: 'custody.full', entries_max: config.custodyEntriesMax },
        'bindings make room for others',
      );
    return {
      evidence: createMemoryEvidenceStore({ clock, entriesMax }),
      custody: createMemoryCustodyStore({ clock, retentionMs, entriesMax: config.custodyEntriesMax, onFull }),
    };
  }
  const memory = createMemoryEvidenceStore({ clock, entriesMax, ttlCapMs: config.localCacheTtlMs });
  const onEvent = (event: RedisStoreEvent) => {
    logRedisEvent(logger, event);
    if (event.kind === 'command_refused') onRefused();
  };
  const redis = createRedisEvidenceStore({
    target,
    clock,
    budgetMs: config.redisTimeoutMs,
    onEvent,
  });
  return {
    evidence: createTieredEvidenceStore({ memory, redis }),
    custody: createRedisCustodyStore({
      lane: redis.lane,
      clock,
      retentionMs,
      onLost: () =>
        logger.error({ event: 'custody.lost' }, 'Redis has forgotten who used telemetry ids first'),
    }),
  };
}

function logRedisEvent(logger: Logger, { kind, ...fields }: RedisStoreEvent): void {
  const line = { event: `redis.${kind}`, ...fields };
  if (kind === 'up' || kind === 'subscribed') logger.info(line);
  else logger.warn(line);
}
