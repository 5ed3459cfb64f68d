import type { FastifyRequest } from 'fastify';

/**
 * The API key of a request: `Authorization: Bearer` (RFC 6750) or `X-API-Key`; any other scheme is ignored. Two
 * different keys in one request match no caller.
 */
export function presentedKey({ headers }: Pick<FastifyRequest, 'headers'>): string | null {
  const { authorization, 'x-api-key': apiKey } = headers;
  const bearer = authorization === undefined ? null : bearerToken(authorization);
  const plain = typeof apiKey === 'string' ? apiKey : null;
  if (bearer !== null && plain !== null && bearer !== plain) return null;
  return bearer ?? plain;
}

/** True where the request brings a key, or what may have been meant as one. */
export function bringsKey({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return headers.authorization !== undefined || headers['x-api-key'] !== undefined;
}

/** How the caller can mend a request without a right key. It reveals nothing that the caller has not sent. */
export function whatIsMissing({ headers }: Pick<FastifyRequest, 'headers'>): string {
  const { authorization, 'x-api-key': apiKey } = headers;
  const bearer = authorization === undefined ? null : bearerToken(authorization);
  if (bearer !== null && apiKey !== undefined && bearer !== apiKey)
    return 'Authorization and X-API-Key hold different keys. Send one of them.';
  if (bearer !== null || apiKey !== undefined) return 'The API key is not known here.';
  const how = 'Send the API key as `Authorization: Bearer <key>` or as `X-API-Key: <key>`.';
  return authorization === undefined ? how : `Authorization is read as a bearer token only. ${how}`;
}

function bearerToken(authorization: string): string | null {
  const space = authorization.indexOf(' ');
  const scheme = space === -1 ? authorization : authorization.slice(0, space);
  if (scheme !== 'Bearer' && scheme.toLowerCase() !== 'bearer') return null;
  return space === -1 ? '' : authorization.slice(space + 1).trim();
}
