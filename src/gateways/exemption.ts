import type { OriginalRequest } from './definition.ts';
import type { GatewayProfile } from './profile.ts';

/** Fields by which frameworks take a request for another one than its method and path say. With one of them nothing is exempt. */
const REROUTING_FIELDS: ReadonlySet<string> = new Set([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
]);

/** Segments of characters that no hop decodes, resolves or cuts: no escapes, no `;`, no `\`, nothing empty but the last. */
const PLAIN_PATH = /^\/(?:[A-Za-z0-9._~!$&'()*+=:@,-]+\/)*[A-Za-z0-9._~!$&'()*+=:@,-]*$/;
/** Dots alone are resolved away, or dropped by servers on Windows. */
const DOTS_ONLY = /(?:^|\/)\.+(?:\/|$)/;

/** True when the profile lets the original request in without a question: a CORS preflight, an exempt method, or an exempt path that can be read in one way only. */
export function isExempt(original: OriginalRequest, profile: GatewayProfile): boolean {
  const isCandidate =
    isPreflight(original) ||
    profile.exemptMethods.has(original.method) ||
    (profile.exemptPaths.length > 0 && isExemptPath(original.target, profile));
  return isCandidate && !Object.keys(original.headers).some(isRerouting);
}

/** Application servers that hand fields on as variables (RFC 3875, section 4.1.18) take `X_Rewrite_URL` for `X-Rewrite-URL`, and some of them any other sign as well. */
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
