import type { FailedAnswer, ProviderAnswer } from '../../application/evidence/provider-answer.ts';
import type { HttpClient, HttpRequest, HttpResponse, HttpResult } from '../../platform/http-client.ts';

/**
 * The mean pause before a retry for which the provider named none; halved or doubled by jitter, so that
 * retries of many callers do not arrive together.
 */
const RETRY_PAUSE_MS = 30;
/**
 * A retry with less time left cannot finish a round trip, and only adds load to a failing provider.
 */
const RETRY_BUDGET_MIN_MS = 20;

/** One call to a provider, its retry included. */
export interface ProviderCall {
  readonly client: HttpClient;
  readonly request: HttpRequest;
  readonly toAnswer: (response: HttpResponse) => ProviderAnswer;
  /** Bound of the whole call: connect, headers, body, the pause and the second attempt. */
  readonly budgetMs: number;
  readonly monotonicMs: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Asked once before a retry that would otherwise be made; absent allows it. */
  readonly mayRetry?: () => boolean;
}

/** How a call ended, and how often it was sent. */
export interface ProviderCallResult {
  readonly answer: ProviderAnswer;
  readonly attempts: number;
}

/**
 * Calls a provider once, and once more where the first failure is transient and both the time and the retry
 * budget allow it. Never rejects, and settles within the budget.
 */
export async function callProvider(call: ProviderCall): Promise<ProviderCallResult> {
  const endsAtMs = call.monotonicMs() + call.budgetMs;
  const first = await attempt(call, call.budgetMs);
  if (!('failure' in first) || !first.isRetryable) return { answer: first, attempts: 1 };
  const pauseMs = first.retryAfterMs ?? RETRY_PAUSE_MS * (0.5 + 1.5 * call.random());
  if (endsAtMs - call.monotonicMs() - pauseMs < RETRY_BUDGET_MIN_MS) return { answer: first, attempts: 1 };
  if (call.mayRetry?.() === false) return { answer: first, attempts: 1 };
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
  return { answer: await attempt(call, endsAtMs - call.monotonicMs()), attempts: 2 };
}

async function attempt(
  { client, request, toAnswer }: ProviderCall,
  budgetMs: number,
): Promise<ProviderAnswer> {
  const result = await client.exchange(request, budgetMs);
  return result.kind === 'response' ? toAnswer(result.response) : toFailure(result);
}

/**
 * Errors of a connection that the peer ended, or of a pooled one that had gone stale: the only transport
 * failures worth a second attempt.
 */
const RESET_CODES = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

function toFailure(result: Exclude<HttpResult, { kind: 'response' }>): FailedAnswer {
  const base = { upstreamRequestId: null, retryAfterMs: null };
  switch (result.kind) {
    case 'timeout':
      return { ...base, outcome: 'timeout', failure: 'timeout', isRetryable: false };
    case 'oversized':
      return { ...base, outcome: 'malformed', failure: 'oversized', isRetryable: false };
    case 'failed':
      return {
        ...base,
        outcome: 'unavailable',
        failure: result.code.toLowerCase(),
        isRetryable: RESET_CODES.has(result.code),
      };
  }
}
