/**
 * Why there is no decision. `timeout`: none within the time. `aborted`: your signal ended the call. `network`:
 * no answer. `refused`: a status other than 200, see `status` and `code`. `malformed`: an answer that is no
 * decision. `unknown_verdict`: a verdict that this version does not know. `test_answer`: an answer to a test
 * id. `invalid`: what was to be asked cannot be sent, or a function of yours threw.
 */
export type FailureKind =
  | 'timeout'
  | 'aborted'
  | 'network'
  | 'refused'
  | 'malformed'
  | 'unknown_verdict'
  | 'test_answer'
  | 'invalid';

/** There is no decision. Its message holds no identifier. */
export class RiskgateFailure extends Error {
  override readonly name = 'RiskgateFailure';
  readonly kind: FailureKind;
  /** The HTTP status of a refusal; null otherwise. */
  readonly status: number | null;
  /** The `code` of the problem document (RFC 9457), to branch on; null without one. */
  readonly code: string | null;
  /** The service's id of the request, for its log; null without an answer. */
  readonly requestId: string | null;
  /** Milliseconds after which another try makes sense; null where nothing was said. */
  readonly retryAfterMs: number | null;

  constructor(
    kind: FailureKind,
    message: string,
    details: Partial<Pick<RiskgateFailure, 'status' | 'code' | 'requestId' | 'retryAfterMs'>> & {
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.status = details.status ?? null;
    this.code = details.code ?? null;
    this.requestId = details.requestId ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
  }
}

/** The failure that an error is: what is none was thrown by something that we were handed. */
export function toFailure(error: unknown): RiskgateFailure {
  return error instanceof RiskgateFailure
    ? error
    : new RiskgateFailure('invalid', 'The call could not be made.', { cause: error });
}
