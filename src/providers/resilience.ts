import type {
  Clock,
  EvidenceSource,
  EvidenceStore,
  LookLimits,
  LookResult,
  ProviderQuery,
  StoredEvidence,
} from '../application/ports.ts';
import { callSourceOf } from '../domain/call-source.ts';
import type { Evidence } from '../domain/evidence.ts';
import { readTraced } from './tracing.ts';
import { createUpstream, type UpstreamOptions } from './upstream.ts';

export interface EvidenceSourceOptions extends UpstreamOptions {
  readonly store: EvidenceStore;
}

/** One upstream call in flight, shared by everyone who asks the same meanwhile. */
interface Flight {
  readonly startedAtMs: number;
  readonly promise: Promise<Evidence>;
}

/** The one stack around a provider: store, then single-flight, then the circuit breaker, then the bulkhead and the call with its deadline and retry, watched by the canary and the observer. */
export function createEvidenceSource(options: EvidenceSourceOptions): EvidenceSource {
  const { definition, store, keyOf, clock } = options;
  const upstream = createUpstream(options, (keys) => void store.purge(keys));
  // Reads of the store and what follows on a miss; calls alone, which younger evidence than the store has may need.
  const reads = new Map<string, Promise<LookResult>>();
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
      store.set(key, evidence);
    }
    return { evidence, origin: 'miss' };
  };

  const call = (key: string, query: ProviderQuery, limits: LookLimits): LookResult | Promise<LookResult> => {
    const joined = calls.get(key);
    // Whoever joins a call late shares its timeout: one that has used half of its time is left to those who wait for it.
    const ageMsMax = Math.min(limits.maxAgeMs ?? Number.POSITIVE_INFINITY, options.budgetMs / 2);
    if (joined && clock.monotonicMs() - joined.startedAtMs <= ageMsMax) {
      return joined.promise.then((evidence) => ({ evidence, origin: 'shared' }));
    }
    const refusal = upstream.refusal();
    if (refusal !== null) return { evidence: refusal, origin: 'none' };
    return fly(key, query, limits);
  };

  const read = (
    key: string,
    query: ProviderQuery,
    limits: LookLimits,
    stored: Promise<StoredEvidence | null>,
  ): Promise<LookResult> => {
    const { maxAgeMs } = limits;
    const look = stored.then((found) => usable(found, maxAgeMs, clock) ?? call(key, query, limits));
    if (maxAgeMs !== null) return look;
    reads.set(key, look);
    const forget = () => {
      if (reads.get(key) === look) reads.delete(key);
    };
    return look.finally(forget);
  };

  return {
    id: definition.id,
    subject: definition.subject,
    notFoundSignals: definition.notFoundSignals,
    present: definition.present,
    subjectExpiresAtMs: (signals) => definition.subjectExpiresAtMs?.(signals) ?? null,
    keyOf,
    isSuspect: upstream.isSuspect,
    look: (query: ProviderQuery, limits: LookLimits): LookResult | Promise<LookResult> => {
      const { maxAgeMs, span } = limits;
      const key = keyOf(query.id);
      const shared = maxAgeMs === null ? reads.get(key) : undefined;
      // Who shares a read that hits has a hit too; only a call is shared.
      if (shared)
        return shared.then(({ evidence, origin }) => ({
          evidence,
          origin: origin === 'miss' ? 'shared' : origin,
        }));
      if (maxAgeMs === 0) return call(key, query, limits);
      const stored = readTraced(store, key, definition.id, span);
      if (stored instanceof Promise) return read(key, query, limits, stored);
      return usable(stored, maxAgeMs, clock) ?? call(key, query, limits);
    },
  };
}

function usable(stored: StoredEvidence | null, maxAgeMs: number | null, clock: Clock): LookResult | null {
  if (stored === null) return null;
  const { evidence, level } = stored;
  if (maxAgeMs !== null && clock.nowMs() - evidence.observedAtMs > maxAgeMs) return null;
  return { evidence, origin: level };
}
