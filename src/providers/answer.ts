import type { FailedAnswer, SettledAnswer } from '../application/evidence/provider-answer.ts';
import type { SettledOutcome, Signals } from '../domain/evidence.ts';
import { foldId } from '../domain/subject.ts';
import type { HttpResponse } from '../platform/http-client.ts';
import { parseRetryAfterMs } from '../platform/retry-after.ts';

/** How a call failed: its indefinite outcome, and a constant for the log that says why. */
export type Failure = Pick<FailedAnswer, 'outcome' | 'failure'>;

/** A 200 whose media type or body is not JSON. */
export const NOT_JSON: Failure = { outcome: 'malformed', failure: 'not_json' };

/** A 200 whose JSON does not fit what the provider really sends. */
export const SCHEMA: Failure = { outcome: 'malformed', failure: 'schema' };

/** A 200 about another id than the one that was asked for. */
export const SUBJECT_MISMATCH: Failure = { outcome: 'malformed', failure: 'subject_mismatch' };

/** A body that two JSON readers would read differently. */
export const AMBIGUOUS_JSON: Failure = { outcome: 'malformed', failure: 'ambiguous_json' };

/** A body that contradicts its HTTP status, or reports success and error at once. */
export const CONTRADICTION: Failure = { outcome: 'malformed', failure: 'contradiction' };

/** A 200 whose body reports an error without naming it. */
export const STATUS_ERROR: Failure = { outcome: 'malformed', failure: 'status_error' };

const REQUEST_ID = /^[\w.:-]{1,128}$/;

const OUTCOME_OF_STATUS: ReadonlyMap<number, Failure['outcome']> = new Map([
  [401, 'unauthorized'],
  [403, 'unauthorized'],
  [404, 'malformed'],
  [408, 'timeout'],
  [429, 'rate_limited'],
  [499, 'unavailable'],
]);

/**
 * The outcome by the status alone, when the body does not settle it. A bare 404 is a wrong URL or a proxy,
 * not an unknown id, and a 2xx that gets here did not match the schema: both are malformed.
 */
export function failureOfStatus(status: number): Failure {
  const failure = status >= 100 && status <= 599 ? `http_${status}` : 'http_other';
  const outcome = OUTCOME_OF_STATUS.get(status);
  if (outcome !== undefined) return { outcome, failure };
  if (status >= 300 && status <= 399) return { outcome: 'malformed', failure: 'redirect' };
  if (status >= 400 && status <= 499) return { outcome: 'invalid_request', failure };
  if (status >= 500 && status <= 599) return { outcome: 'unavailable', failure };
  return { outcome: 'malformed', failure };
}

/** True for 408, 429, 499 and 5xx except 501: the same request may succeed soon. */
function isRetryableStatus(status: number): boolean {
  if (status === 408 || status === 429 || status === 499) return true;
  return status >= 500 && status <= 599 && status !== 501;
}

/** A failed answer. Whether and when to retry depends on the response, not on the reason. */
export function toFailedAnswer(
  failure: Failure,
  response: Pick<HttpResponse, 'status' | 'headers'>,
  nowMs: number,
  upstreamRequestId: string | null,
): FailedAnswer {
  return {
    outcome: failure.outcome,
    failure: failure.failure,
    upstreamRequestId,
    isRetryable: isRetryableStatus(response.status),
    retryAfterMs: parseRetryAfterMs(response.headers['retry-after'], nowMs),
  };
}

/** A settled answer. `validUntilMs` is null where the provider gives no end. */
export function toSettledAnswer<Answered extends Signals>(
  outcome: SettledOutcome,
  signals: Answered,
  upstreamRequestId: string | null,
  validUntilMs: number | null = null,
): SettledAnswer<Answered> {
  return { outcome, signals, upstreamRequestId, validUntilMs };
}

/**
 * A settled answer; `echoed` is the id in the provider's spelling. If the request used another spelling, the
 * answer is valid for this decision only and is never cached: a purge by the provider's spelling would not
 * find it, and an attacker can choose the case of the letters.
 */
export function toEchoedAnswer<Answered extends Signals>(
  answer: SettledAnswer<Answered>,
  { echoed, asked, nowMs }: { readonly echoed: string; readonly asked: string; readonly nowMs: number },
): SettledAnswer<Answered> {
  if (echoed === asked) return answer;
  return { ...answer, validUntilMs: Math.min(nowMs, answer.validUntilMs ?? nowMs) };
}

/** A provider's id of the call, or null unless it is short and plain enough for a log. */
export function toUpstreamRequestId(value: string | null | undefined): string | null {
  return typeof value === 'string' && REQUEST_ID.test(value) ? value : null;
}

/**
 * True when the id in an answer is the one that was asked for. Evidence about another id, from a caching
 * proxy for example, is not evidence.
 */
export function isSameId(echoed: string, asked: string): boolean {
  return foldId(echoed) === foldId(asked);
}
