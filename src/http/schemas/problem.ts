import { z } from 'zod';
import type { ErrorCode, FieldError } from '../../domain/errors.ts';

/** RFC 9457, with a stable `code` to branch on and the request's id. */
export const problemSchema = z.object({
  type: z
    .string()
    .describe('A URI reference that names the kind of problem: `about:blank`, since `code` does.'),
  title: z.string(),
  status: z.int(),
  code: z.string().describe('Stable; branch on this.'),
  detail: z.string().optional(),
  request_id: z.string(),
  errors: z
    .array(
      z.object({
        pointer: z
          .string()
          .describe('JSON pointer (RFC 6901) into the body, or the name of a query parameter.'),
        detail: z.string(),
      }),
    )
    .optional(),
});

type Problem = z.output<typeof problemSchema>;

/** The one table from error codes to what a caller sees. */
const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  malformed_body: { status: 400, title: 'The body is not valid JSON' },
  unauthenticated: { status: 401, title: 'An API key is required' },
  forbidden: { status: 403, title: 'The API key lacks the scope for this' },
  not_found: { status: 404, title: 'There is nothing at this address' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  unsupported_media_type: { status: 415, title: 'The body is not of a supported media type' },
  conflict: { status: 409, title: 'The request conflicts with another one' },
  idempotency_mismatch: { status: 422, title: 'The Idempotency-Key belongs to another request' },
  rate_limited: { status: 429, title: 'Too many requests' },
  overloaded: { status: 503, title: 'The service has more work than it can do in time' },
  store_unavailable: { status: 503, title: 'The shared store cannot be reached' },
  decision_log_unavailable: { status: 503, title: 'The decision could not be recorded' },
  internal: { status: 500, title: 'Something went wrong on our side' },
} as const satisfies Record<ErrorCode, { status: number; title: string }>;

/** The status that answers an error code. */
export function statusOf(code: ErrorCode): number {
  return PROBLEMS[code].status;
}

/** The problem document for an error code. */
export function toProblem(
  code: ErrorCode,
  requestId: string,
  options: { detail?: string | null; fields?: readonly FieldError[] } = {},
): Problem {
  const { status, title } = PROBLEMS[code];
  const problem: Problem = { type: 'about:blank', title, status, code, request_id: requestId };
  if (options.detail) problem.detail = options.detail;
  if (options.fields && options.fields.length > 0)
    problem.errors = options.fields.map((field) => ({ ...field }));
  return problem;
}
