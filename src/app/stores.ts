import type { Logger } from 'pino';
import type { Clock, CustodyStore } from '../application/ports.ts';
import type { Config } from '../config/config.ts';
import { keyIdOf } from '../platform/keyed-hash.ts';
import { createMemoryCustodyStore } from '../stores/custody/memory-store.ts';
import type { UnknownKey } from '../stores/custody/redis-generations.ts';
import { createRedisCustodyStore } from '../stores/custody/redis-store.ts';
import type { ClosableEvidenceStore } from '../stores/evidence/closable-evidence-store.ts';
import { createMemoryEvidenceStore } from '../stores/evidence/memory-store.ts';
import { createRedisEvidenceStore } from '../stores/evidence/redis-store.ts';
import type { RedisStoreEvent } from '../stores/evidence/redis-store-event.ts';
import { createTieredEvidenceStore } from '../stores/evidence/tiered-evidence-store.ts';
import type { RedisProblem } from '../stores/redis/inspect.ts';
import type { RedisTarget } from '../stores/redis/target.ts';

/** What decisions remember between them. */
interface Stores {
  readonly evidence: ClosableEvidenceStore;
  readonly custody: CustodyStore;
  /** What is wrong with custody in the shared store; null when nothing is. */
  custodyProblem(): RedisProblem | null;
}

/** In the process, and in Redis where there is a target. `onRefused` is told when Redis refuses a command. */
export function createStores(
  config: Config,
  target: RedisTarget | null,
  clock: Clock,
  logger: Logger,
  onRefused: (code: string) => void,
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
      custodyProblem: () => null,
    };
  }
  const memory = createMemoryEvidenceStore({ clock, entriesMax, ttlCapMs: config.localCacheTtlMs });
  const onEvent = (event: RedisStoreEvent) => {
    logRedisEvent(logger, event);
    if (event.kind === 'command_refused') onRefused(event.code);
  };
  const redis = createRedisEvidenceStore({
    target,
    clock,
    budgetMs: config.redisTimeoutMs,
    onEvent,
  });
  const custody = createRedisCustodyStore({
    lane: redis.lane,
    clock,
    retentionMs,
    keyIds: config.idHashKeys.map(keyIdOf),
    onLost: () => logger.error({ event: 'custody.lost' }, 'Redis has forgotten who used telemetry ids first'),
    onUnknownKey: ({ keyId }) =>
      logger.error(
        { event: 'custody.unknown_key', key_id: keyId },
        'Redis holds bindings under another hash key',
      ),
  });
  return {
    evidence: createTieredEvidenceStore({ memory, redis }),
    custody,
    custodyProblem: () => describeUnknownKey(custody.unknownKey()),
  };
}

function describeUnknownKey(unknown: UnknownKey | null): RedisProblem | null {
  if (unknown === null) return null;
  const hint = `Replicas write, or wrote within the retention, under the hash key ${unknown.keyId}, which is not among ours: add it to ID_HASH_KEYS.`;
  return { code: 'UNKNOWN_ID_HASH_KEY', hint, commands: [] };
}

function logRedisEvent(logger: Logger, { kind, ...fields }: RedisStoreEvent): void {
  const line = { event: `redis.${kind}`, ...fields };
  if (kind === 'up' || kind === 'subscribed') logger.info(line);
  else logger.warn(line);
}
