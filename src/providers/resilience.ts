import type {
  Clock,
  EvidenceSource,
  EvidenceStore,
  LookLimits,
  LookResult,
  ProviderAnswer,
  ProviderObserver,
  ProviderQuery,
  StoredEvidence,
} from '../application/ports.ts';
import type { Span } from '../application/tracer.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { HttpClient } from '../platform/http-client.ts';
import type { ProviderDefinition, ProviderSettings } from './definition.ts';
import { callProvider, type ProviderCallResult } from './provider-call.ts';
import { readTraced, withTraceparent } from './tracing.ts';

/** A cached answer lives up to this share shorter than its time to live, so that answers cached together do not expire together. */
const TTL_JITTER = 0.1;

export interface EvidenceSourceOptions {
  readonly definition: ProviderDefinition;
  readonly settings: ProviderSettings;
  /** Bound of one call, its retry included. */
  readonly budgetMs: number;
  /** By settled outcome; 0 or absent means not cached. */
  readonly ttlMs: Readonly<Record<string, number>>;
  readonly client: HttpClient;
  readonly store: EvidenceStore;
  /** Store key of an id: a keyed hash, distinct for each provider and upstream account. */
  readonly keyOf: (id: string) => string;
  /** Keyed hash of a raw identifier inside an answer. */
  readonly hash: (value: string) => string;
  readonly clock: Clock;
  readonly observer: ProviderObserver;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** One upstream call in flight, shared by everyone who asks the same meanwhile. */
interface Flight {
  readonly startedAtMs: number;
  readonly promise: Promise<Evidence>;
}

/** The one stack around a provider: store, then single-flight, then the call with its deadline and retry, then the observer. */
export function createEvidenceSource(options: EvidenceSourceOptions): EvidenceSource {
  const { definition, store, keyOf, clock } = options;
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

  const call = async (
    key: string,
    query: ProviderQuery,
    { maxAgeMs, span }: LookLimits,
  ): Promise<LookResult> => {
    const joined = calls.get(key);
    if (joined && clock.monotonicMs() - joined.startedAtMs <= (maxAgeMs ?? Number.POSITIVE_INFINITY)) {
      return { evidence: await joined.promise, origin: 'shared' };
    }
    const flight: Flight = { startedAtMs: clock.monotonicMs(), promise: ask(options, query, span ?? null) };
    calls.set(key, flight);
    const evidence = await flight.promise;
    if (calls.get(key) === flight) {
      calls.delete(key);
      store.set(key, evidence);
    }
    return { evidence, origin: 'miss' };
  };

  const read = (
    key: string,
    query: ProviderQuery,
    limits: LookLimits,
    stored: Promise<StoredEvidence | null>,
  ): Promise<LookResult> => {
    const look = stored.then((found) => usable(found, limits.maxAgeMs, clock) ?? call(key, query, limits));
    if (limits.maxAgeMs !== null) return look;
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
    keyOf,
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

/** Makes the call and dates the answer. Never rejects: a defect in a provider's own code is `malformed`, not a crash and not a pass. */
async function ask(
  options: EvidenceSourceOptions,
  query: ProviderQuery,
  span: Span | null,
): Promise<Evidence> {
  const { definition, clock, observer } = options;
  const step = span?.child('provider.call', 'client') ?? null;
  const startedAtMs = clock.monotonicMs();
  let result: ProviderCallResult;
  try {
    result = await send(options, query, step);
  } catch {
    // Only a bug can get here. What it says may quote the payload, so it is reported by its name alone.
    result = { answer: MALFUNCTION, attempts: 1 };
  }
  const { answer, attempts } = result;
  const failure = 'failure' in answer ? answer.failure : null;
  const latencyMs = clock.monotonicMs() - startedAtMs;
  observer.onProviderCall({ provider: definition.id, outcome: answer.outcome, failure, latencyMs, attempts });
  step?.end(
    {
      'riskgate.provider': definition.id,
      'riskgate.outcome': answer.outcome,
      'riskgate.attempts': attempts,
    },
    failure !== null,
  );
  return toEvidence(options, answer);
}

const MALFUNCTION: ProviderAnswer = {
  outcome: 'malformed',
  upstreamRequestId: null,
  failure: 'provider_code_threw',
  isRetryable: false,
  retryAfterMs: null,
};

async function send(
  options: EvidenceSourceOptions,
  query: ProviderQuery,
  span: Span | null,
): Promise<ProviderCallResult> {
  const { definition, settings, client, budgetMs, clock, hash, random } = options;
  const request = definition.toRequest(settings, query);
  if (request === null) {
    const signals = definition.notFoundSignals;
    return {
      answer: { outcome: 'not_found', signals, upstreamRequestId: null, validUntilMs: null },
      attempts: 0,
    };
  }
  return callProvider({
    client,
    request: withTraceparent(request, span),
    budgetMs,
    monotonicMs: clock.monotonicMs,
    random,
    toAnswer: (response) => definition.toAnswer(response, query, { nowMs: clock.nowMs(), hash }),
  });
}

function toEvidence(
  { definition, ttlMs, clock, random }: EvidenceSourceOptions,
  answer: ProviderAnswer,
): Evidence {
  const { outcome, upstreamRequestId } = answer;
  const observedAtMs = clock.nowMs();
  const base = { provider: definition.id, outcome, upstreamRequestId, observedAtMs };
  if ('failure' in answer) return { ...base, signals: null, expiresAtMs: null };
  const lifeMs = (ttlMs[outcome] ?? 0) * (1 - TTL_JITTER * random());
  const expiresAtMs = Math.round(
    Math.min(observedAtMs + lifeMs, answer.validUntilMs ?? Number.POSITIVE_INFINITY),
  );
  return { ...base, signals: answer.signals, expiresAtMs };
}
