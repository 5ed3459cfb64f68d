import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { NotSignedIn, OpenIdSignIn } from '../callers/openid-sign-in.ts';
import { noSignInCookie, pendingSignInOf, signInCookie } from '../callers/sign-in-cookie.ts';
import { giveSession } from './session.ts';

const SECRET_BYTES = 32;
/** Like those of the page: no program has a use for them. */
const FOR_BROWSERS = { hide: true };

/**
 * GET /v1/session/oidc leads a browser to the issuer, and GET /v1/session/oidc/callback takes it back. Both answer
 * with a redirect, to the issuer or to the page: nothing in a request chooses another place.
 */
export const oidcRoutes = plugin<{ readonly openId: OpenIdSignIn }>(
  async (app, { openId }) => {
    app.get('/v1/session/oidc', { schema: FOR_BROWSERS, exposeHeadRoute: false }, async (request, reply) => {
      const { searchParams } = new URL(request.url, openId.pageUrl);
      const search = searchParams.get('to') ?? '';
      // A page elsewhere has no business here; whoever types the address has.
      const site = request.headers['sec-fetch-site'];
      if (site === 'cross-site' || site === 'same-site') return leadBack(reply, openId, search);
      const secret = randomBytes(SECRET_BYTES).toString('base64url');
      const found = await openId.begin(request.raw.socket.remoteAddress, secret);
      if (typeof found === 'string') return leadBack(reply, openId, search, found);
      void reply.header('set-cookie', signInCookie(request.headers.host, { secret, search }));
      return lead(reply, found.href);
    });
    app.get('/v1/session/oidc/callback', { schema: FOR_BROWSERS, exposeHeadRoute: false }, (request, reply) =>
      finish(request, reply, openId),
    );
  },
  { name: 'oidc-routes' },
);

async function finish(
  request: FastifyRequest,
  reply: FastifyReply,
  openId: OpenIdSignIn,
): Promise<FastifyReply> {
  const { headers, raw, url } = request;
  const pending = pendingSignInOf(request);
  void reply.header('set-cookie', noSignInCookie(headers.host));
  // Begun in another browser, or not at all: somebody may want another person to act in their name.
  if (pending === null) return leadBack(reply, openId, '', 'late');
  const { secret, search } = pending;
  const came = new URL(url, openId.pageUrl).search;
  const result = await openId.finish(raw.socket.remoteAddress, secret, came);
  if (typeof result === 'string') return leadBack(reply, openId, search, result);
  giveSession(request, reply, result.token);
  return leadBack(reply, openId, search);
}

/** To the page, where `search` was left, with a word on what went wrong in the fragment. */
function leadBack(
  reply: FastifyReply,
  { pageUrl }: OpenIdSignIn,
  search: string,
  why: NotSignedIn | null = null,
): FastifyReply {
  const query = new URLSearchParams(search).toString();
  return lead(reply, `${pageUrl}${query && `?${query}`}${why === null ? '' : `#sign-in=${why}`}`);
}

function lead(reply: FastifyReply, to: string): FastifyReply {
  return reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).redirect(to, 302);
}
