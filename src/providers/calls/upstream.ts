import type { Clock } from '../../application/clock.ts';
import type { ProviderQuery } from '../../application/evidence/evidence-source.ts';
import type { ProviderAnswer } from '../../application/evidence/provider-answer.ts';
import type { ProviderObserver } from '../../application/observers.ts';
import type { Span } from '../../application/tracer.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { HttpClient } from '../../platform/http-client.ts';
import type { ProviderDefinition, ProviderSettings } from '../definition.ts';
import { readAnswer } from '../read-answer.ts';
import { type CallGuard, createCallGuard } from './call-guard.ts';
import type { KnownId } from './known-ids.ts';
import { createNotFoundCanary, type Recheck } from './not-found-canary.ts';
import { type OtherHash, readWithOtherNames } from './other-names.ts';
import type { ProviderCallResult } from './provider-call.ts';
import { withTraceparent } from './tracing.ts';

/**
 * A cached answer lives up to this share shorter than its time to live, so that answers cached together do
 * not expire together.
 */
const TTL_JITTER = 0.1;

/** What calling one provider needs. */
export interface UpstreamOptions {
  readonly definition: ProviderDefinition;
  readonly settings: ProviderSettings;
  /** Bound of one call, its time in the queue and its retry included. */
  readonly budgetMs: number;
  /** Calls under way at once, and calls that may wait for one of them to end. */
  readonly concurrencyMax: number;
  readonly queueMax: number;
  /** By settled outcome; 0 or absent means not cached. */
  readonly ttlMs: Readonly<Record<string, number>>;
  readonly client: HttpClient;
  /** Store key of an id: a keyed hash, distinct for each provider and upstream account. */
  readonly keyOf: (id: string) => string;
  /** Keyed hash of a raw identifier inside an answer. */
  readonly hash: (value: string) => string;
  /** The same under each other hash key that is known; absent with none. */
  readonly otherHashes?: readonly OtherHash[];
  readonly clock: Clock;
  readonly observer: ProviderObserver;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** The calls to one provider, guarded and observed, with dated answers and a canary. */
export interface Upstream {
  /** True while the circuit refuses calls. */
  refuses(): boolean;
  /** The evidence of a refusal while the circuit refuses calls, otherwise null. */
  refusal(): Evidence | null;
  /**
   * Makes the call and dates the answer. Never rejects: a defect in a provider's own code is `malformed`, not
   * a crash and not a pass.
   */
  ask(key: string, query: ProviderQuery, source: string, span: Span | null): Promise<Evidence>;
  /** True while the provider's `not_found` is in doubt. */
  isSuspect(): boolean;
}

const MALFUNCTION: ProviderAnswer = {
  outcome: 'malformed',
  upstreamRequestId: null,
  failure: 'provider_code_threw',
  isRetryable: false,
  retryAfterMs: null,
};

/**
 * Builds the upstream of one provider. `onDoubt` gets the store keys whose `not_found` is now in doubt.
 */
export function createUpstream(
  options: UpstreamOptions,
  onDoubt: (keys: readonly string[]) => void,
): Upstream {
  const { definition, clock, observer } = options;
  const { id: provider } = definition;
  const guard = createCallGuard({
    ...options,
    monotonicMs: clock.monotonicMs,
    onCircuitChange: (state) => observer.onCircuitChange({ provider, state }),
  });
  const call = createCall(options, guard);

  const askAgain = async ({ id }: KnownId): Promise<Recheck> => {
    const { answer, attempts } = await call(options.keyOf(id), { id }, null);
    if ('failure' in answer || attempts === 0) return null;
    return answer.outcome === 'not_found' ? 'not_found' : 'found';
  };

  const canary = createNotFoundCanary({
    nowMs: clock.monotonicMs,
    recheck: (known) => Promise.all(known.map(askAgain)),
    onChange: ({ notFoundKeys, ...change }) => {
      if (change.isSuspect) onDoubt(notFoundKeys);
      observer.onSuspectChange({ provider, ...change });
    },
  });

  const watch = (key: string, id: string, source: string, { answer, attempts }: ProviderCallResult): void => {
    if ('failure' in answer || attempts === 0) return;
    // The canary's time is monotonic; the provider's is Unix time.
    const validForMs = answer.validUntilMs === null ? null : answer.validUntilMs - clock.nowMs();
    const validUntilMs = validForMs === null ? null : clock.monotonicMs() + validForMs;
    canary.record({ id, key, source, isFound: answer.outcome !== 'not_found', validUntilMs });
  };

  return {
    refuses: guard.refuses,
    refusal: () => (guard.refuses() ? refused(provider, clock, observer) : null),
    isSuspect: canary.isSuspect,
    ask: async (key, query, source, span) => {
      const result = await call(key, query, span);
      watch(key, query.id, source, result);
      return toEvidence(options, result.answer, canary.isSuspect());
    },
  };
}

type Call = (key: string, query: ProviderQuery, span: Span | null) => Promise<ProviderCallResult>;

/** One call by the guard, told to the observer and traced. It never rejects. */
function createCall(options: UpstreamOptions, guard: CallGuard): Call {
  const { definition, clock, observer, otherHashes = [] } = options;
  const { id: provider } = definition;
  const send = async (key: string, query: ProviderQuery, span: Span | null): Promise<ProviderCallResult> => {
    const request = definition.toRequest(options.settings, query);
    if (request === null) return { answer: unknownId(definition), attempts: 0 };
    return guard.call({
      key,
      request: withTraceparent(request, span),
      toAnswer: (response) =>
        readWithOtherNames(definition, options.hash, otherHashes, (hash) =>
          readAnswer(definition, response, query, { nowMs: clock.nowMs(), hash }),
        ),
    });
  };

  return async (key: string, query: ProviderQuery, span: Span | null): Promise<ProviderCallResult> => {
    const step = span?.child('provider.call', 'client') ?? null;
    const startedAtMs = clock.monotonicMs();
    let result: ProviderCallResult;
    try {
      result = await send(key, query, step);
    } catch {
      // Only a bug can get here. Its message may quote the payload, so only a constant is reported.
      result = { answer: MALFUNCTION, attempts: 1 };
    }
    const { answer, attempts } = result;
    const failure = 'failure' in answer ? answer.failure : null;
    const latencyMs = clock.monotonicMs() - startedAtMs;
    observer.onProviderCall({ provider, outcome: answer.outcome, failure, latencyMs, attempts });
    step?.end(toCallAttributes(provider, result), failure !== null);
    return result;
  };
}

function toCallAttributes(provider: string, { answer, attempts }: ProviderCallResult) {
  return {
    'riskgate.provider': provider,
    'riskgate.outcome': answer.outcome,
    'riskgate.attempts': attempts,
  };
}

function unknownId({ notFoundSignals: signals }: ProviderDefinition): ProviderAnswer {
  return { outcome: 'not_found', signals, upstreamRequestId: null, validUntilMs: null };
}

function refused(provider: string, clock: Clock, observer: ProviderObserver): Evidence {
  const outcome = 'circuit_open';
  observer.onProviderCall({ provider, outcome, failure: outcome, latencyMs: 0, attempts: 0 });
  return {
    provider,
    outcome,
    signals: null,
    observedAtMs: clock.nowMs(),
    expiresAtMs: null,
    upstreamRequestId: null,
  };
}

function toEvidence(
  { definition, ttlMs, clock, random }: UpstreamOptions,
  answer: ProviderAnswer,
  isSuspect: boolean,
): Evidence {
  const { outcome, upstreamRequestId } = answer;
  const observedAtMs = clock.nowMs();
  const base = { provider: definition.id, outcome, upstreamRequestId, observedAtMs };
  if ('failure' in answer) return { ...base, signals: null, expiresAtMs: null };
  // An answer in doubt is not cached: it must not outlive the doubt.
  const ttl = isSuspect && outcome === 'not_found' ? 0 : (ttlMs[outcome] ?? 0);
  const lifeMs = ttl * (1 - TTL_JITTER * random());
  const expiresAtMs = Math.round(
    Math.min(observedAtMs + lifeMs, answer.validUntilMs ?? Number.POSITIVE_INFINITY),
  );
  const { signals, otherNames } = answer;
  return { ...base, signals, expiresAtMs, ...(otherNames !== undefined && { otherNames }) };
}
