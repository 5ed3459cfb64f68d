import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyRequest } from 'fastify';
import { isLoopback } from './session-cookie.ts';

/** What a browser holds while somebody signs in at an issuer. */
interface PendingSignIn {
  /** 32 random bytes in base64url: what is sent to the issuer is made of it. */
  readonly secret: string;
  /** The query of the page to go on with. */
  readonly search: string;
}

const SECURE_NAME = '__Host-riskgate-oidc';
const PLAIN_NAME = 'riskgate-oidc';
const SECRET = /^[A-Za-z0-9_-]{43}$/;
/** Browsers drop cookies of more than 4 KiB. */
const SEARCH_LENGTH_MAX = 2_000;
/** For passwords, second factors and a phone that has to be found. */
const SIGN_IN_SECONDS = 600;

/** The `Set-Cookie` header that begins a sign-in. `Lax`, because the issuer's page leads back. */
export function signInCookie(host: string | undefined, { secret, search }: PendingSignIn): string {
  const kept = search.length <= SEARCH_LENGTH_MAX ? search : '';
  return toCookie(host, `${secret}.${Buffer.from(kept).toString('base64url')}`, SIGN_IN_SECONDS);
}

/** The `Set-Cookie` header that ends it, whatever became of it. */
export function noSignInCookie(host: string | undefined): string {
  return toCookie(host, '', 0);
}

/** What the browser of a request has begun; null for nothing, and for what is too old. */
export function pendingSignInOf({ headers }: Pick<FastifyRequest, 'headers'>): PendingSignIn | null {
  const value = parseCookie(headers.cookie ?? '')[isLoopback(headers.host) ? PLAIN_NAME : SECURE_NAME];
  const [secret = '', search = ''] = (value ?? '').split('.');
  return SECRET.test(secret) ? { secret, search: Buffer.from(search, 'base64url').toString() } : null;
}

function toCookie(host: string | undefined, value: string, maxAge: number): string {
  const isPlain = isLoopback(host);
  return stringifySetCookie({
    name: isPlain ? PLAIN_NAME : SECURE_NAME,
    value,
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: !isPlain,
    maxAge,
  });
}
