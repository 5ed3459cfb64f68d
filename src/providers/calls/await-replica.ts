import type { Clock } from '../../application/clock.ts';
import type { LookLimits, LookResult, ProviderQuery } from '../../application/evidence/evidence-source.ts';
import type { ForeignClaim } from '../../application/evidence/evidence-store.ts';
import { afterServedTime } from '../../platform/served-time.ts';
import type { ClaimWatch } from './claim-watch.ts';

interface AwaitReplicaOptions {
  readonly claims: ClaimWatch;
  readonly clock: Clock;
  /** Bound of one call. */
  readonly budgetMs: number;
  readonly call: (key: string, query: ProviderQuery, limits: LookLimits) => LookResult | Promise<LookResult>;
}

type AwaitReplica = (
  key: string,
  claim: ForeignClaim,
  query: ProviderQuery,
  limits: LookLimits,
) => Promise<LookResult>;

/**
 * Waits for another replica's answer for at most half of the time left, then also calls, and takes the
 * first answer.
 */
export function createAwaitReplica({ claims, clock, budgetMs, call }: AwaitReplicaOptions): AwaitReplica {
  return (
    key: string,
    claim: ForeignClaim,
    query: ProviderQuery,
    limits: LookLimits,
  ): Promise<LookResult> => {
    const { promise, resolve } = Promise.withResolvers<LookResult>();
    const leftMs = (limits.deadlineAtMs ?? Number.POSITIVE_INFINITY) - clock.monotonicMs();
    let hasAsked = false;
    const ask = () => {
      if (hasAsked) return;
      hasAsked = true;
      void Promise.resolve(call(key, query, limits)).then(resolve);
    };
    const cancel = afterServedTime(Math.max(0, Math.min(budgetMs, leftMs) / 2), ask);
    void claims.awaitEvidence(key, claim).then((found) => {
      cancel();
      if (found === null) ask();
      else resolve({ evidence: found.evidence, origin: 'shared' });
    });
    return promise;
  };
}
