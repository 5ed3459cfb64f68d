import type {
  Clock,
  EvidenceSource,
  EvidenceStore,
  ForeignClaim,
  LookLimits,
  LookResult,
  ProviderQuery,
  StoredEvidence,
  StoreReading,
} from '../../application/ports.ts';
import { callSourceOf } from '../../domain/call-source.ts';
import type { Evidence } from '../../domain/evidence.ts';
import { afterServedTime } from '../../platform/served-time.ts';
import { createClaimWatch } from './claim-watch.ts';
import { traceRead } from './tracing.ts';
import { createUpstream, type UpstreamOptions } from './upstream.ts';

/** What the stack around the calls of one provider needs. */
export interface EvidenceSourceOptions extends UpstreamOptions {
  readonly store: EvidenceStore;
  /** See EvidenceSource. */
  readonly olderKeysOf: (id: string) => readonly string[];
}

/** One upstream call in flight. Every lookup of the same id shares it. */
interface CallInFlight {
  readonly startedAtMs: number;
  readonly promise: Promise<Evidence>;
}

/**
 * The one stack around a provider, from the outside in: the store; single-flight in this process and across
 * replicas; the circuit breaker; the bulkhead; the call with its deadline and retry. The canary and the
 * observer see every call.
 */
export function createEvidenceSource(options: EvidenceSourceOptions): EvidenceSource {
  const { definition, store, keyOf, clock, budgetMs } = options;
  const upstream = createUpstream(options, (keys) => void store.purge(keys));
  const claims = createClaimWatch(store);
  // A claim lasts as long as the call it is for. Without a cache there is nothing to wait for.
  const claimMs = (options.ttlMs['ok'] ?? 0) > 0 ? Math.ceil(budgetMs) : 0;
  // A read stays here until the lookup that began it is done. Calls are kept apart: a lookup with a maximum
  // age joins calls only.
  const reads = new Map<string, Promise<StoreReading>>();
  const calls = new Map<string, CallInFlight>();
  store.onPurge((keys) => {
    // A read or call that began before a purge still answers those who wait for it, but is not joined or
    // cached.
    for (const key of keys) {
      reads.delete(key);
      calls.delete(key);
    }
  });

  const startCall = async (key: string, query: ProviderQuery, limits: LookLimits): Promise<LookResult> => {
    const promise = upstream.ask(key, query, callSourceOf(limits.caller, limits.ip), limits.span ?? null);
    const started: CallInFlight = { startedAtMs: clock.monotonicMs(), promise };
    calls.set(key, started);
    const evidence = await promise;
    if (calls.get(key) === started) {
      calls.delete(key);
      reads.delete(key);
      store.set(key, evidence);
    }
    return { evidence, origin: 'miss' };
  };

  /**
   * Waits for a call that another lookup started. A lookup that joined in the call's second half, and has
   * time left when the call times out, calls once more; all that joined late share that call.
   */
  const join = async (
    { startedAtMs, promise }: CallInFlight,
    key: string,
    query: ProviderQuery,
    limits: LookLimits,
  ): Promise<LookResult> => {
    const isLate = clock.monotonicMs() - startedAtMs > budgetMs / 2;
    const evidence = await promise;
    const hasTime = clock.monotonicMs() < (limits.deadlineAtMs ?? Number.POSITIVE_INFINITY);
    if (isLate && hasTime && evidence.outcome === 'timeout') return call(key, query, limits);
    return { evidence, origin: 'shared' };
  };

  const call = (key: string, query: ProviderQuery, limits: LookLimits): LookResult | Promise<LookResult> => {
    const joined = calls.get(key);
    const ageMsMax = limits.maxAgeMs ?? Number.POSITIVE_INFINITY;
    if (joined && clock.monotonicMs() - joined.startedAtMs <= ageMsMax) {
      return join(joined, key, query, limits);
    }
    const refusal = upstream.refusal();
    if (refusal !== null) return { evidence: refusal, origin: 'none' };
    return startCall(key, query, limits);
  };

  /**
   * Waits for another replica's answer for at most half of the time left, then also calls, and takes the
   * first answer.
   */
  const awaitReplica = (
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

  const follow = (
    reading: StoreReading,
    key: string,
    query: ProviderQuery,
    limits: LookLimits,
  ): LookResult | Promise<LookResult> => {
    if (reading !== null && 'claimant' in reading) return awaitReplica(key, reading, query, limits);
    return usable(reading, limits.maxAgeMs, clock) ?? call(key, query, limits);
  };

  const read = (
    key: string,
    { span }: LookLimits,
    isClaiming: boolean,
  ): StoreReading | Promise<StoreReading> =>
    traceRead<StoreReading>(definition.id, span, () =>
      isClaiming ? store.getOrClaim(key, claimMs) : store.get(key),
    );

  return {
    id: definition.id,
    subject: definition.subject,
    notFoundSignals: definition.notFoundSignals,
    present: definition.present,
    subjectExpiresAtMs: (signals) => definition.subjectExpiresAtMs?.(signals) ?? null,
    subjectCreatedAtMs: (signals) => definition.subjectCreatedAtMs?.(signals) ?? null,
    keyOf,
    olderKeysOf: options.olderKeysOf,
    isSuspect: upstream.isSuspect,
    look: (query: ProviderQuery, limits: LookLimits): LookResult | Promise<LookResult> => {
      const { maxAgeMs } = limits;
      const key = keyOf(query.id);
      if (maxAgeMs === 0) return call(key, query, limits);
      const shared = maxAgeMs === null ? reads.get(key) : undefined;
      if (shared) return shared.then((reading) => follow(reading, key, query, limits));
      // A lookup with a maximum age always calls for itself, and an open circuit makes no call to claim.
      const isClaiming = maxAgeMs === null && claimMs > 0 && !upstream.refuses();
      const reading = read(key, limits, isClaiming);
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
    },
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
