import type { Clock } from '../../application/clock.ts';
import type { LookLimits, LookResult, ProviderQuery } from '../../application/evidence/evidence-source.ts';
import { callSourceOf } from '../../domain/call-source.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { Upstream } from './upstream.ts';

interface SharedCallsOptions {
  readonly upstream: Upstream;
  readonly clock: Clock;
  /** Bound of one call. */
  readonly budgetMs: number;
  /** Told of each answer, unless a purge came before it. */
  readonly onAnswer: (key: string, evidence: Evidence) => void;
}

/** The calls of one provider that are under way in this process. */
interface SharedCalls {
  /** Joins the call for a key, where one is young enough, and starts one otherwise. Never rejects. */
  call(key: string, query: ProviderQuery, limits: LookLimits): LookResult | Promise<LookResult>;
  /**
   * The call for a key still answers those who wait for it, but nobody joins it and nothing is told of it.
   */
  forget(key: string): void;
}

/** One upstream call in flight. Every lookup of the same id shares it. */
interface CallInFlight {
  readonly startedAtMs: number;
  readonly promise: Promise<Evidence>;
}

/** Makes one call for all lookups of an id that come while it is under way. */
export function createSharedCalls({ upstream, clock, budgetMs, onAnswer }: SharedCallsOptions): SharedCalls {
  const calls = new Map<string, CallInFlight>();

  const startCall = async (key: string, query: ProviderQuery, limits: LookLimits): Promise<LookResult> => {
    const promise = upstream.ask(key, query, callSourceOf(limits.caller, limits.ip), limits.span ?? null);
    const started: CallInFlight = { startedAtMs: clock.monotonicMs(), promise };
    calls.set(key, started);
    const evidence = await promise;
    if (calls.get(key) === started) {
      calls.delete(key);
      onAnswer(key, evidence);
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

  return { call, forget: (key) => void calls.delete(key) };
}
