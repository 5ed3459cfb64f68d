import { RiskgateError } from '../../domain/errors.ts';

const LENGTH_MAX = 255;
/**
 * A String of RFC 9651, section 3.3.3, alone in its field: printable ASCII in quotes, where `\` stands before
 * a quote and itself only.
 */
const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/;
/**
 * A key without quotes, which most clients send although the draft requires them: a UUID, a ULID and the
 * like.
 */
const BARE = /^[A-Za-z0-9._~:@/+=-]+$/;

/**
 * Both ways to write a key, with their bounds, for the description of the API. What does not fit never gets
 * here.
 */
export const IDEMPOTENCY_KEY_PATTERN = /^(?:"(?:[ !#-[\]-~]|\\["\\]){1,255}"|[A-Za-z0-9._~:@/+=-]{1,255})$/;

/**
 * The key in an `Idempotency-Key` field (draft-ietf-httpapi-idempotency-key-header-07), without its quotes:
 * `"a"` and `a` are the same key. Throws `invalid_request` for anything else, and for several fields.
 */
export function parseIdempotencyKey(field: string | readonly string[]): string {
  const text = typeof field === 'string' ? field.trim() : '';
  const quoted = QUOTED.exec(text)?.[1];
  const key = quoted === undefined ? text : quoted.replaceAll(/\\(.)/g, '$1');
  const isKey = key.length > 0 && key.length <= LENGTH_MAX && (quoted !== undefined || BARE.test(text));
  if (isKey) return key;
  throw new RiskgateError('invalid_request', 'A malformed Idempotency-Key.', {
    fields: [
      { pointer: 'Idempotency-Key', detail: `must be one quoted string of 1 to ${LENGTH_MAX} characters` },
    ],
  });
}
