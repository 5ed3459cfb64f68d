import type { FastifyError, FastifySchemaValidationError } from 'fastify';
import { type ErrorCode, type FieldError, RiskgateError } from '../domain/errors.ts';
import { TWO_WAYS_TO_NAME_A_DEVICE } from './schemas/decide.ts';
import { statusOf } from './schemas/problem.ts';

/** What a problem document is made of. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly detail?: string | null;
  readonly fields?: readonly FieldError[];
  readonly retryAfterSeconds?: number | null;
}

/** Seconds after which to retry where nothing else is known. */
const RETRY_AFTER_SECONDS = 1;

/** Seconds after which a retry makes sense; null where it does not. */
export function retryAfterOf({ code, retryAfterSeconds }: Refusal): number | null {
  return retryAfterSeconds ?? (statusOf(code) === 503 ? RETRY_AFTER_SECONDS : null);
}

/** What a caller is told of an error. What is not known to be its fault is `internal`, without a word more. */
export function toRefusal(error: FastifyError): Refusal {
  if (error instanceof RiskgateError) {
    const { code, publicDetail: detail, fields, retryAfterSeconds } = error;
    return { code, detail, fields, retryAfterSeconds };
  }
  if (error.validation)
    return {
      code: 'invalid_request',
      fields: toFieldErrors(error.validation, error.validationContext === 'body'),
    };
  switch (error.statusCode) {
    case 400:
      if (error.code === 'FST_ERR_BAD_URL') return { code: 'invalid_request' };
      return {
        code: 'malformed_body',
        detail: error.code === 'FST_ERR_CTP_EMPTY_JSON_BODY' ? 'The body is empty.' : null,
      };
    case 413:
      return { code: 'payload_too_large' };
    case 415:
      return { code: 'unsupported_media_type', detail: 'Send JSON, with `Content-Type: application/json`.' };
    default:
      return { code: 'internal' };
  }
}

/** The longest part of an unknown field's name that is repeated to the caller. */
const NAME_LENGTH_MAX = 64;
/**
 * A body can hold thousands of mistakes; so many are enough to mend it, and no answer grows beyond its
 * question.
 */
const FIELD_ERRORS_MAX = 32;

/** What a caller is told of the mistakes in one part of its request; those in its body by JSON pointer. */
export function toFieldErrors(
  validation: readonly FastifySchemaValidationError[],
  isBody: boolean,
): readonly FieldError[] {
  return validation.slice(0, FIELD_ERRORS_MAX).map(({ instancePath, keyword, params, message }) => {
    if (keyword === 'not') return TWO_WAYS_TO_NAME_A_DEVICE;
    const name = params['additionalProperty'] ?? params['missingProperty'];
    const last = typeof name === 'string' ? `/${escapePointer(name.slice(0, NAME_LENGTH_MAX))}` : '';
    const pointer = `${instancePath}${last}`;
    const detail =
      keyword === 'additionalProperties' ? 'is not a field of this request' : (message ?? 'is not valid');
    return { pointer: isBody ? pointer : pointer.slice(1), detail };
  });
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
