import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyRequest } from 'fastify';

/** 32 random bytes in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
/** The prefix makes browsers take it with `Secure`, for this host alone and all of its paths. */
const SECURE_NAME = '__Host-riskgate-session';
/** On loopback there is no TLS. */
const PLAIN_NAME = 'riskgate-session';
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/**
 * The session that the browser of a request holds; null without one. Browsers send the cookie by themselves, so
 * that it counts only where they say that a page of this very origin asks (`Sec-Fetch-Site`, Fetch Metadata):
 * a page elsewhere, or one that is merely linked from there, cannot use it.
 */
export function sessionTokenOf({ headers }: Pick<FastifyRequest, 'headers'>): string | null {
  if (headers.cookie === undefined || headers['sec-fetch-site'] !== 'same-origin') return null;
  const cookies = parseCookie(headers.cookie);
  const token = cookies[isLoopback(headers.host) ? PLAIN_NAME : SECURE_NAME];
  return token !== undefined && TOKEN.test(token) ? token : null;
}

/** The `Set-Cookie` header that gives a session to the browser, for as long as it lasts without use. */
export function sessionCookie(host: string | undefined, token: string, idleSeconds: number): string {
  const isPlain = isLoopback(host);
  return stringifySetCookie({
    name: isPlain ? PLAIN_NAME : SECURE_NAME,
    value: token,
    path: '/',
    httpOnly: true,
    sameSite: 'strict',
    secure: !isPlain,
    maxAge: idleSeconds,
  });
}

/** The `Set-Cookie` header that takes it away. */
export function noSessionCookie(host: string | undefined): string {
  return sessionCookie(host, '', 0);
}

/** Whether a Host field names the machine itself, where there is no TLS. */
export function isLoopback(host: string | undefined): boolean {
  return host !== undefined && LOOPBACK.test(host);
}
