import type { HttpResponse } from './http-client.ts';

const JSON_MEDIA_TYPE = /^application\/(?:json|[\w.!#$&^-]{1,100}\+json)$/;

/** The JSON value of a response, whatever its status, or undefined (which JSON cannot express) unless the media type is `application/json` or `application/…+json` (RFC 6839) and the body parses. */
export function parseJsonResponse(response: HttpResponse): unknown {
  const mediaType = response.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!JSON_MEDIA_TYPE.test(mediaType)) return undefined;
  try {
    return JSON.parse(response.body);
  } catch {
    // Only a SyntaxError can come from a string: the body is not JSON.
    return undefined;
  }
}
