import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { Readiness } from '../http/routes/health.ts';
import { toRfc3339 } from '../platform/rfc3339.ts';
import type { DecisionLog } from './decision-log.ts';
import type { FollowedFiles } from './followed-files.ts';
import type { FilesInForce } from './open-policies.ts';
import type { RedisInUse } from './redis.ts';
import type { Stores } from './stores.ts';

interface HealthParts {
  readonly files: FilesInForce;
  readonly redis: RedisInUse;
  readonly stores: Stores;
  readonly slots: readonly ProviderSlot[];
  readonly log: DecisionLog | null;
  readonly isDraining: () => boolean;
}

/** Reads how the service is, each time it is asked. */
export function createReadiness(parts: HealthParts): () => Readiness {
  const { files, redis, stores, slots, log, isDraining } = parts;
  const enabledProviders = slots.filter(({ source }) => source !== null).map(({ id }) => id);
  return () => ({
    isDraining: isDraining(),
    policy: files.policy(),
    redis: redis.state(),
    redisProblem: redis.problem() ?? stores.custodyProblem(),
    receivesPurges: redis.target === null ? null : stores.evidence.health().receivesPurges,
    lists: stores.lists.knowledge(),
    strictSinks: strictSinksOf(log),
    policyFile: policyFileOf(files),
    policyStatus: files.policyStatus(),
    promotionState: files.promotionState(),
    filesDiffering: files.statuses().flatMap(({ file, isCurrent }) => (isCurrent ? [] : [file])),
    enabledProviders,
    suspectProviders: slots.filter(({ source }) => source?.isSuspect()).map(({ id }) => id),
  });
}

function policyFileOf(files: FollowedFiles): Readiness['policyFile'] {
  const status = files.statuses().find(({ file }) => file === 'policy');
  if (status === undefined) throw new Error('the policy file is followed');
  const { loadedAtMs, refusedAtMs } = status;
  return {
    loadedAt: toRfc3339(loadedAtMs),
    refusedAt: refusedAtMs === null ? null : toRfc3339(refusedAtMs),
  };
}

/** False while answers wait for a record that this process cannot write. */
export function canRecord(log: DecisionLog | null): boolean {
  return strictSinksOf(log).every(({ health }) => health !== 'unready');
}

function strictSinksOf(log: DecisionLog | null): Readiness['strictSinks'] {
  return (log?.strict ?? []).map((delivery) => ({ sink: delivery.sink, health: delivery.health() }));
}
