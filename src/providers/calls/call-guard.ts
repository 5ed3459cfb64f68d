import type { ProviderAnswer } from '../../application/evidence/provider-answer.ts';
import type { IndefiniteOutcome } from '../../domain/evidence.ts';
import { createBulkhead } from '../../platform/bulkhead.ts';
import {
  type CallMark,
  type CircuitStateName,
  createCircuitBreaker,
} from '../../platform/circuit-breaker.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '../../platform/http-client.ts';
import { createRetryBudget } from '../../platform/retry-budget.ts';
import { createFailingIds } from './failing-ids.ts';
import { callProvider, type ProviderCallResult } from './provider-call.ts';

interface CallGuardOptions {
  readonly client: HttpClient;
  /** Bound of one call: its time in the queue, its retry and the pause before that included. */
  readonly budgetMs: number;
  /** Calls under way at once, and calls that may wait for one of them to end. */
  readonly concurrencyMax: number;
  readonly queueMax: number;
  readonly monotonicMs: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly onCircuitChange: (state: CircuitStateName) => void;
}

interface GuardedCall {
  /** The store key of the id that is asked about. */
  readonly key: string;
  readonly request: HttpRequest;
  readonly toAnswer: (response: HttpResponse) => ProviderAnswer;
}

/** What every call to one provider passes: breaker, bulkhead and retry budget. */
export interface CallGuard {
  /** True while the circuit refuses calls. */
  refuses(): boolean;
  /** Makes the call, or answers with 0 attempts why it was not made. Rejects only where `toAnswer` throws. */
  call(call: GuardedCall): Promise<ProviderCallResult>;
}

/** Answers to calls that riskgate does not send. */
const NOT_CALLED = {
  circuitOpen: notCalled('circuit_open', 'circuit_open'),
  bulkheadFull: notCalled('unavailable', 'bulkhead_full'),
  queueTimeout: notCalled('timeout', 'queue_timeout'),
} as const;

/** Builds the guard of one provider; its state belongs to this process. */
export function createCallGuard(options: CallGuardOptions): CallGuard {
  const { client, budgetMs, monotonicMs, random } = options;
  const retryBudget = createRetryBudget(monotonicMs);
  const failingIds = createFailingIds();
  const bulkhead = createBulkhead(options.concurrencyMax, options.queueMax);
  const breaker = createCircuitBreaker({
    monotonicMs,
    onStateChange: (state) => {
      if (state === 'open') failingIds.clear();
      options.onCircuitChange(state);
    },
  });
  // A probe is one call: it is not retried, and neither is one that began before the circuit opened.
  const mayRetry = () => breaker.state() === 'closed' && retryBudget.tryTake();

  const begin = (
    { key, request, toAnswer }: GuardedCall,
    endsAtMs: number,
  ): Promise<ProviderCallResult> | ProviderCallResult => {
    const leftMs = endsAtMs - monotonicMs();
    if (leftMs <= 0) return NOT_CALLED.queueTimeout;
    const made = breaker.run(
      () => {
        retryBudget.onCall();
        return callProvider({ client, request, toAnswer, budgetMs: leftMs, monotonicMs, random, mayRetry });
      },
      ({ answer }, isProbe) => markOf(answer, isProbe, key, failingIds),
    );
    return made ?? NOT_CALLED.circuitOpen;
  };

  return {
    refuses: breaker.refuses,
    call: async (call) => {
      const endsAtMs = monotonicMs() + budgetMs;
      return (await bulkhead.run(() => begin(call, endsAtMs))) ?? NOT_CALLED.bulkheadFull;
    },
  };
}

/**
 * How an answer counts for the circuit. `unauthorized` is our configuration, and `invalid_request` and
 * `malformed` can depend on the id; all three show that the provider is up.
 */
function markOf(
  answer: ProviderAnswer,
  isProbe: boolean,
  key: string,
  failingIds: ReturnType<typeof createFailingIds>,
): CallMark {
  switch (answer.outcome) {
    case 'timeout':
    case 'unavailable':
      // A probe decides the state of the circuit, whatever its id.
      return failingIds.onFailed(key) || isProbe ? 'failure' : 'neutral';
    case 'rate_limited':
      // Some calls still pass, and an open circuit would lose them. But a provider that recovers must not be
      // flooded.
      return isProbe ? 'failure' : 'neutral';
    case 'ok':
    case 'not_found':
    case 'unsupported':
      failingIds.onAnswered(key);
      return 'success';
    case 'unauthorized':
    case 'invalid_request':
    case 'malformed':
    case 'circuit_open':
      return 'neutral';
  }
}

function notCalled(outcome: IndefiniteOutcome, failure: string): ProviderCallResult {
  return {
    answer: { outcome, failure, upstreamRequestId: null, isRetryable: false, retryAfterMs: null },
    attempts: 0,
  };
}
