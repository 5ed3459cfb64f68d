/** Every way in which riskgate refuses a request. A decision is never an error. */
export const ERROR_CODES = [
  'invalid_request',
  'malformed_body',
  'unauthenticated',
  'forbidden',
  'not_found',
  'method_not_allowed',
  'payload_too_large',
  'headers_too_large',
  'unsupported_media_type',
  'conflict',
  'idempotency_mismatch',
  'rate_limited',
  'store_unavailable',
  'decision_log_unavailable',
  'overloaded',
  'internal',
] as const;

/** One code of the closed list. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** One mistake in a request: a JSON pointer to it (RFC 6901) and what is wrong, never the value. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/**
 * The one error class of the project. `message` is for the log and holds no identifier; `publicDetail` is
 * what the caller reads.
 */
export class RiskgateError extends Error {
  override readonly name = 'RiskgateError';
  readonly code: ErrorCode;
  readonly publicDetail: string | null;
  readonly fields: readonly FieldError[];
  /** When a retry can succeed; null where a retry is no use, or the time is unknown. */
  readonly retryAfterSeconds: number | null;

  constructor(
    code: ErrorCode,
    message: string,
    options: { publicDetail?: string; fields?: readonly FieldError[]; retryAfterSeconds?: number } = {},
  ) {
    super(message);
    this.code = code;
    this.publicDetail = options.publicDetail ?? null;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}
