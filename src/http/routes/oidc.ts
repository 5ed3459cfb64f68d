import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { NotSignedIn, OpenIdSignIn } from '../callers/openid-sign-in.ts';
import { noSignInCookie, pendingSignInOf, signInCookie } from '../callers/sign-in-cookie.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { problemResponses, REQUEST_ID_HEADER, sentText } from '../schemas/responses.ts';
import { giveSession } from './session.ts';

const SECRET_BYTES = 32;

/**
 * GET /v1/session/oidc leads a browser to the issuer, and GET /v1/session/oidc/callback takes it back. Both answer
 * with a redirect, to the issuer or to the page: nothing in a request chooses another place.
 */
export const oidcRoutes = plugin<RouteGroupOptions<OpenIdSignIn>>(
  async (app, { serve }) => {
    app.get(
      '/v1/session/oidc',
      { schema: BEGIN, exposeHeadRoute: false },
      handlerFor(serve, (openId) => async (request, reply) => {
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
      }),
    );
    app.get(
      '/v1/session/oidc/callback',
      { schema: CALLBACK, exposeHeadRoute: false },
      handlerFor(serve, (openId) => (request, reply) => finish(request, reply, openId)),
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

const REDIRECT = (to: string) => ({
  302: {
    description: to,
    headers: {
      ...REQUEST_ID_HEADER,
      location: sentText('Where the browser goes on.'),
      'set-cookie': {
        description: 'What the browser holds for it: HttpOnly, and Secure off loopback. Not on every answer.',
        type: 'string',
      },
    },
    type: 'null',
  },
  ...problemResponses(400, 500),
});

const BEGIN = {
  summary: 'Sign in with OpenID Connect',
  description:
    'For browsers, which it leads to the issuer of `OIDC_ISSUER`: authorization code, PKCE, `state` and `nonce`. `to` is the query of the page to go on with. Where the issuer cannot be asked, it leads back to the page, which says so.',
  operationId: 'beginSignIn',
  tags: ['session'],
  security: [],
  querystring: { type: 'object', properties: { to: { type: 'string' } } },
  response: REDIRECT('To the issuer, or back to the page.'),
};

const CALLBACK = {
  summary: 'Come back from the issuer',
  description:
    'The redirect URI of OpenID Connect. A session is opened, as by `POST /v1/session`, for whoever is in a group of `OIDC_GROUPS`: 12 hours at most, and its scopes are those of the groups.',
  operationId: 'finishSignIn',
  tags: ['session'],
  security: [],
  response: REDIRECT('To the page, signed in, or with a word on why not.'),
};
