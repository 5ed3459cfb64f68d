import type { Clock } from '../../application/clock.ts';
import type {
  EvidenceSource,
  LookLimits,
  LookResult,
  ProviderQuery,
} from '../../application/evidence/evidence-source.ts';
import type {
  EvidenceStore,
  StoredEvidence,
  StoreReading,
} from '../../application/evidence/evidence-store.ts';
import type { Evidence } from '../../domain/evidence.ts';
import { createAwaitReplica } from './await-replica.ts';
import { createClaimWatch } from './claim-watch.ts';
import { createSharedCalls } from './shared-calls.ts';
import { traceRead } from './tracing.ts';
import { createUpstream, type Upstream, type UpstreamOptions } from './upstream.ts';

/** What the stack around the calls of one provider needs. */
export interface EvidenceSourceOptions extends UpstreamOptions {
  readonly store: EvidenceStore;
  /** As `hash`, which serves where it is absent, for what every request of a subject brings again. */
  readonly hashOfRequest?: (value: string) => string;
  /** See EvidenceSource. */
  readonly olderKeysOf: (id: string) => readonly string[];
}

/**
 * The one stack around a provider, from the outside in: the store; single-flight in this process and across
 * replicas; the circuit breaker; the bulkhead; the call with its deadline and retry. The canary and the
 * observer see every call.
 */
export function createEvidenceSource(options: EvidenceSourceOptions): EvidenceSource {
  const { definition, store, keyOf, olderKeysOf, hashOfRequest = options.hash } = options;
  const upstream = createUpstream(options, (keys) => void store.purge(keys));
  return {
    id: definition.id,
    subject: definition.subject,
    notFoundSignals: definition.notFoundSignals,
    present: (signals, nowMs, { ip, userAgent }) =>
      definition.present(signals, nowMs, { ip, userAgent, hash: hashOfRequest }),
    subjectExpiresAtMs: (signals) => definition.subjectExpiresAtMs?.(signals) ?? null,
    subjectCreatedAtMs: (signals) => definition.subjectCreatedAtMs?.(signals) ?? null,
    visitorOf: (signals) => definition.visitorOf?.(signals) ?? null,
    placeOf: (signals) => definition.placeOf?.(signals) ?? NO_PLACE,
    keyOf,
    olderKeysOf,
    isSuspect: upstream.isSuspect,
    look: createLook(options, upstream),
  };
}

const NO_PLACE = { country: null, asn: null };

function createLook(options: EvidenceSourceOptions, upstream: Upstream): EvidenceSource['look'] {
  const { definition, store, keyOf, clock, budgetMs } = options;
  const claimMs = claimMsOf(options);
  // A read stays here until the lookup that began it is done. Calls are kept apart: a lookup with a maximum
  // age joins calls only.
  const reads = new Map<string, Promise<StoreReading>>();
  const onAnswer = (key: string, evidence: Evidence) => {
    reads.delete(key);
    store.set(key, evidence);
  };
  const { call, forget } = createSharedCalls({ upstream, clock, budgetMs, onAnswer });
  const awaitReplica = createAwaitReplica({ claims: createClaimWatch(store), clock, budgetMs, call });
  store.onPurge((keys) => {
    // A read or call that began before a purge still answers those who wait for it, but is not joined or
    // cached.
    for (const key of keys) {
      reads.delete(key);
      forget(key);
    }
  });

  const follow = (
    reading: StoreReading,
    key: string,
    query: ProviderQuery,
    limits: LookLimits,
  ): LookResult | Promise<LookResult> => {
    if (reading !== null && 'claimant' in reading) return awaitReplica(key, reading, query, limits);
    return usable(reading, limits.maxAgeMs, clock) ?? call(key, query, limits);
  };

  const read = (key: string, isClaiming: boolean): StoreReading | Promise<StoreReading> =>
    isClaiming ? store.getOrClaim(key, claimMs) : store.get(key);

  return (query, limits) => {
    const { maxAgeMs } = limits;
    const key = keyOf(query.id);
    if (maxAgeMs === 0) return call(key, query, limits);
    const shared = maxAgeMs === null ? reads.get(key) : undefined;
    if (shared) return shared.then((reading) => follow(reading, key, query, limits));
    // A lookup with a maximum age always calls for itself, and an open circuit makes no call to claim.
    const isClaiming = maxAgeMs === null && claimMs > 0 && !upstream.refuses();
    const reading = limits.span
      ? traceRead(definition.id, limits.span, () => read(key, isClaiming))
      : read(key, isClaiming);
    if (!(reading instanceof Promise)) return follow(reading, key, query, limits);
    const look = reading.then((done) => {
      const result = follow(done, key, query, limits);
      // The circuit opened in the meantime.
      if (isClaiming && !(result instanceof Promise) && result.origin === 'none') store.release(key);
      return result;
    });
    if (maxAgeMs !== null) return look;
    reads.set(key, reading);
    return look.finally(() => {
      if (reads.get(key) === reading) reads.delete(key);
    });
  };
}

function usable(stored: StoredEvidence | null, maxAgeMs: number | null, clock: Clock): LookResult | null {
  if (stored === null) return null;
  const { evidence, level } = stored;
  // The age of evidence from the future is unknown: a clock was set back, or another replica's clock is
  // ahead.
  if (maxAgeMs !== null && Math.abs(clock.nowMs() - evidence.observedAtMs) > maxAgeMs) return null;
  return { evidence, origin: level };
}

/** A claim lasts as long as the call it is for. Without a cache there is nothing to wait for. */
function claimMsOf({ ttlMs, budgetMs }: EvidenceSourceOptions): number {
  return (ttlMs['ok'] ?? 0) > 0 ? Math.ceil(budgetMs) : 0;
}
