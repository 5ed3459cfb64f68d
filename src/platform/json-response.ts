import type { HttpResponse } from './http-client.ts';
import { hasDuplicateNames } from './json-names.ts';
import { hasLoneSurrogates } from './lone-surrogates.ts';

/** What a response holds: a JSON value, a text that two JSON readers read differently, or something else. */
type JsonReading =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'ambiguous' | 'other' };

const JSON_MEDIA_TYPE = /^application\/(?:json|[\w.!#$&^-]{1,100}\+json)$/;
/**
 * JSON is UTF-8 (RFC 8259), of which ASCII is a part. Under any other name the same bytes are other
 * characters.
 */
const CHARSET = /^charset\s*=\s*"?(?:utf-?8|us-ascii)"?$/i;
const AMBIGUOUS: JsonReading = { kind: 'ambiguous' };
const OTHER: JsonReading = { kind: 'other' };

/**
 * Reads the body of a response, whatever its status. JSON is what says so (`application/json` or
 * `application/…+json`, RFC 6839), in UTF-8 and without an encoding, and parses. Ambiguous is a name that
 * stands twice in one object, of which readers take the first, the last or none, and half a surrogate pair,
 * which some drop and some replace (RFC 7493).
 */
export function readJsonResponse(response: HttpResponse): JsonReading {
  const { body } = response;
  if (body === null || !isPlainJson(response.headers)) return OTHER;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // Only a SyntaxError can come from a string: the body is not JSON.
    return OTHER;
  }
  if (hasDuplicateNames(body, value) || hasLoneSurrogates(body)) return AMBIGUOUS;
  return { kind: 'json', value };
}

/** The type of a response without its parameters, in lower case; empty where there is none. */
export function mediaTypeOf(headers: HttpResponse['headers']): string {
  return headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function isPlainJson(headers: HttpResponse['headers']): boolean {
  if (!JSON_MEDIA_TYPE.test(mediaTypeOf(headers))) return false;
  // The request asked for no encoding: bytes that are labelled as encoded are different bytes to a reader
  // that decodes them.
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') return false;
  const [, ...parameters] = (headers['content-type'] ?? '').split(';').map((part) => part.trim());
  // A comma joins the values of a header that was sent twice.
  return parameters.every((text) => !text.includes(',') && (!/^charset\b/i.test(text) || CHARSET.test(text)));
}
