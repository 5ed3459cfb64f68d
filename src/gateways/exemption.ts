import type { OriginalRequest } from './definition.ts';
import type { GatewayProfile } from './profile.ts';

/**
 * Fields by which frameworks override the method or path of a request. A request with one of them is never
 * exempt.
 */
const REROUTING_FIELDS: ReadonlySet<string> = new Set([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
]);

/**
 * Segments of characters that no hop decodes, resolves or cuts: no escapes, no `;`, no `\`, nothing empty but
 * the last.
 */
const PLAIN_PATH = /^\/(?:[A-Za-z0-9._~!$&'()*+=:@,-]+\/)*[A-Za-z0-9._~!$&'()*+=:@,-]*$/;
/** Segments of dots only are resolved, or dropped by servers on Windows. */
const DOTS_ONLY = /(?:^|\/)\.+(?:\/|$)/;

/**
 * True when the profile lets the original request in without a decision: a CORS preflight, an exempt method,
 * or an exempt path that has only one reading.
 */
export function isExempt(original: OriginalRequest, profile: GatewayProfile): boolean {
  const isCandidate =
    isPreflight(original) ||
    profile.exemptMethods.has(original.method) ||
    (profile.exemptPaths.length > 0 && isExemptPath(original.target, profile));
  return isCandidate && !Object.keys(original.headers).some(isRerouting);
}

/**
 * Application servers that pass fields on as variables (RFC 3875, section 4.1.18) read `X_Rewrite_URL` as
 * `X-Rewrite-URL`, and some do the same for any other character.
 */
function isRerouting(name: string): boolean {
  return REROUTING_FIELDS.has(name.replaceAll(/[^a-z0-9]/g, '-'));
}

/** A preflight carries no ids and does nothing (Fetch standard, section 3.3). */
function isPreflight({ method, headers }: OriginalRequest): boolean {
  return (
    method === 'OPTIONS' &&
    headers['access-control-request-method']?.length === 1 &&
    headers['origin']?.length === 1
  );
}

function isExemptPath(target: string, { exemptPaths }: GatewayProfile): boolean {
  const path = target.split('?', 1)[0] ?? '';
  if (!isPlainPath(path)) return false;
  return exemptPaths.some((exempt) =>
    exempt.isPrefix ? path.startsWith(exempt.path) : path === exempt.path,
  );
}

/** True for a path that every hop reads alike. */
export function isPlainPath(path: string): boolean {
  return PLAIN_PATH.test(path) && !DOTS_ONLY.test(path);
}
