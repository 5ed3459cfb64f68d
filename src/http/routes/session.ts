import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { RiskgateError } from '../../domain/errors.ts';
import type { OpenIdSignIn } from '../callers/openid-sign-in.ts';
import { presentedKey } from '../callers/presented-key.ts';
import { noSessionCookie, sessionCookie, sessionTokenOf } from '../callers/session-cookie.ts';
import { SESSION_IDLE_SECONDS, type Sessions } from '../callers/sessions.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER, sentText } from '../schemas/responses.ts';
import { openedSessionSchema, sessionSchema, toSessionBody } from '../schemas/session.ts';

/** What the requests of this group use. */
export interface SessionDependencies {
  readonly sessions: Sessions;
  /** Null where people sign in with API keys alone. */
  readonly openId: OpenIdSignIn | null;
}

/** Whoever uses the page. */
const SCOPES = ['read', 'review', 'admin'] as const;

/**
 * POST /v1/session: a browser gives its API key away for a cookie that no script reads. DELETE /v1/session ends
 * it, on all replicas.
 */
export const sessionRoutes = plugin<RouteGroupOptions<SessionDependencies>>(
  async (app, { serve }) => {
    app.post(
      '/v1/session',
      { schema: OPEN, config: { scope: SCOPES } },
      handlerFor(serve, ({ sessions }) => async (request, reply) => {
        const token = await openFor(request, sessions);
        const opened = await sessions.find(token);
        if (typeof opened === 'string') throw cannotKeep();
        return giveSession(request, reply, token)
          .code(201)
          .send(toSessionBody(opened.caller, opened.endsAtMs));
      }),
    );
    app.delete(
      '/v1/session',
      { schema: END, config: { scope: SCOPES } },
      handlerFor(serve, ({ sessions }) => async (request, reply) => {
        const token = sessionTokenOf(request);
        if (token !== null && !(await sessions.end(token))) throw cannotKeep();
        return reply
          .header('cache-control', 'no-store')
          .header('set-cookie', noSessionCookie(request.headers.host))
          .code(204)
          .send();
      }),
    );
  },
  { name: 'session-routes' },
);

/**
 * GET /v1/session: who is signed in. It stands before authentication: a page asks it when it loads, and nobody
 * being signed in is no wrong key.
 */
export const sessionStateRoutes = plugin<RouteGroupOptions<SessionDependencies>>(
  async (app, { serve }) => {
    app.get(
      '/v1/session',
      { schema: STATE },
      handlerFor(serve, ({ sessions, openId }) => async (request, reply) => {
        const openid = openId !== null;
        const token = sessionTokenOf(request);
        const found = token === null ? 'none' : await sessions.find(token);
        if (found === 'unavailable') throw cannotTell();
        if (found === 'none' || token === null)
          return reply.header('cache-control', 'no-store').send({ signed_in: false, openid });
        return giveSession(request, reply, token).send({
          signed_in: true,
          openid,
          ...toSessionBody(found.caller, found.endsAtMs),
        });
      }),
    );
  },
  { name: 'session-state-routes' },
);

/** A session is opened by a key alone: with a session, none would ever end. */
async function openFor(request: FastifyRequest, sessions: Sessions): Promise<string> {
  const key = presentedKey(request);
  if (key === null) {
    const publicDetail = 'A session is opened with an API key.';
    throw new RiskgateError('invalid_request', 'A session was to be opened by a session.', { publicDetail });
  }
  const token = await sessions.open(key);
  if (token === null) throw cannotKeep();
  return token;
}

/** Lets the browser hold a session. */
export function giveSession(request: FastifyRequest, reply: FastifyReply, token: string): FastifyReply {
  return reply
    .header('cache-control', 'no-store')
    .header('set-cookie', sessionCookie(request.headers.host, token, SESSION_IDLE_SECONDS));
}

function cannotKeep(): RiskgateError {
  return new RiskgateError('store_unavailable', 'A session could not be kept or ended.', {
    publicDetail: 'Sessions cannot be kept or ended now.',
    retryAfterSeconds: 1,
  });
}

function cannotTell(): RiskgateError {
  return new RiskgateError('store_unavailable', 'Sessions cannot be read.', {
    publicDetail: 'Who is signed in cannot be looked up now.',
    retryAfterSeconds: 1,
  });
}

const COOKIE = {
  'set-cookie': sentText('The session: HttpOnly, SameSite=Strict, and Secure off loopback.'),
};

const OPEN = {
  summary: 'Sign in with an API key',
  description:
    'Opens a session for the browser that asks: 12 hours from its last use, a week at most, and as long as the key is right. Its cookie counts for requests of pages of the same origin alone (`Sec-Fetch-Site: same-origin`), in place of the key.',
  operationId: 'openSession',
  tags: ['session'],
  response: {
    201: {
      description: 'The session is open.',
      headers: { ...REQUEST_ID_HEADER, ...COOKIE },
      ...toJsonSchema(openedSessionSchema, 'output'),
    },
    ...problemResponses(400, 401, 403, 413, 415, 429, 500, 503),
  },
};

const STATE = {
  summary: 'Who is signed in',
  description: 'By the cookie of the browser that asks; an API key is not looked at.',
  operationId: 'getSession',
  tags: ['session'],
  security: [],
  response: {
    200: {
      description: 'Whether somebody is, and who.',
      headers: REQUEST_ID_HEADER,
      ...toJsonSchema(sessionSchema, 'output'),
    },
    ...problemResponses(400, 500, 503),
  },
};

const END = {
  summary: 'Sign out',
  description: 'Ends the session on all replicas. With an API key and no session, nothing is ended.',
  operationId: 'endSession',
  tags: ['session'],
  response: {
    204: { description: 'It has ended.', headers: { ...REQUEST_ID_HEADER, ...COOKIE }, type: 'null' },
    ...problemResponses(400, 401, 403, 413, 415, 429, 500, 503),
  },
};
