import type {
  AskedElsewhere,
  Clock,
  EvidenceSource,
  EvidenceStore,
  LookLimits,
  LookResult,
  ProviderQuery,
  StoredEvidence,
  StoreReading,
} from '../../application/ports.ts';
import { callSourceOf } from '../../domain/call-source.ts';
import type { Evidence } from '../../domain/evidence.ts';
import { afterServedTime } from '../../platform/served-time.ts';
import { createElsewhereWatch } from './asked-elsewhere.ts';
import { traceRead } from './tracing.ts';
import { createUpstream, type UpstreamOptions } from './upstream.ts';

export interface EvidenceSourceOptions extends UpstreamOptions {
  readonly store: EvidenceStore;
  /** See EvidenceSource. */
  readonly olderKeysOf: (id: string) => readonly string[];
}

/** One upstream call in flight, shared by everyone who asks the same meanwhile. */
interface Flight {
  readonly startedAtMs: number;
  readonly promise: Promise<Evidence>;
}

/** The one stack around a provider: store, then single-flight in this process and across replicas, then the circuit breaker, then the bulkhead and the call with its deadline and retry, watched by the canary and the observer. */
export function createEvidenceSource(options: EvidenceSourceOptions): EvidenceSource {
  const { definition, store, keyOf, clock, budgetMs } = options;
  const upstream = createUpstream(options, (keys) => void store.purge(keys));
  const elsewhere = createElsewhereWatch(store);
  // A claim lasts as long as the call it is for. Without a cache there is nothing to wait for.
  const claimMs = (options.ttlMs['ok'] ?? 0) > 0 ? Math.ceil(budgetMs) : 0;
  // Reads of the store until what follows on them is over; calls alone, which younger evidence than the store has may need.
  const reads = new Map<string, Promise<StoreReading>>();
  const calls = new Map<string, Flight>();
  store.onPurge((keys) => {
    // What began before a purge is finished for those who wait for it, and neither joined nor cached any more.
    for (const key of keys) {
      reads.delete(key);
      calls.delete(key);
    }
  });

  const fly = async (key: string, query: ProviderQuery, limits: LookLimits): Promise<LookResult> => {
    const promise = upstream.ask(key, query, callSourceOf(limits.caller, limits.ip), limits.span ?? null);
    const flight: Flight = { startedAtMs: clock.monotonicMs(), promise };
    calls.set(key, flight);
    const evidence = await flight.promise;
    if (calls.get(key) === flight) {
      calls.delete(key);
      reads.delete(key);
      store.set(key, evidence);
    }
    return { evidence, origin: 'miss' };
  };

  /** Waits for a call that others made. Who came late and has time left when it runs out of its own asks once more, and shares that with all who came late. */
  const join = async (
    { startedAtMs, promise }: Flight,
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
    return fly(key, query, limits);
  };

  /** Waits for another replica's answer, and for half of the time there is at most: then it asks as well, and takes what comes first. */
  const awaitElsewhere = (
    key: string,
    asked: AskedElsewhere,
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
    void elsewhere.landing(key, asked).then((landed) => {
      cancel();
      if (landed === null) ask();
      else resolve({ evidence: landed.evidence, origin: 'shared' });
    });
    return promise;
  };

  const follow = (
    reading: StoreReading,
    key: string,
    query: ProviderQuery,
    limits: LookLimits,
  ): LookResult | Promise<LookResult> => {
    if (reading !== null && 'claimant' in reading) return awaitElsewhere(key, reading, query, limits);
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
      // Whoever wants young evidence asks for itself, and a circuit that refuses has no use for a claim.
      const isClaiming = maxAgeMs === null && claimMs > 0 && !upstream.refuses();
      const reading = read(key, limits, isClaiming);
      if (!(reading instanceof Promise)) return follow(reading, key, query, limits);
      const look = reading.then((done) => {
        const result = follow(done, key, query, limits);
        // The circuit has opened meanwhile.
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
  // Evidence from the future has an age that nobody knows: a clock was set back, or another replica's is ahead.
  if (maxAgeMs !== null && Math.abs(clock.nowMs() - evidence.observedAtMs) > maxAgeMs) return null;
  return { evidence, origin: level };
}
