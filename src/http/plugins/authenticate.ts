import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { Clock } from '../../application/clock.ts';
import { RiskgateError } from '../../domain/errors.ts';
import {
  type Caller,
  findHolder,
  hasScope,
  isTestCaller,
  type Keyring,
  type NeededScope,
} from '../callers/api-keys.ts';
import { rememberHolders } from '../callers/known-holders.ts';
import type { TrafficObserver } from '../callers/traffic-observer.ts';
import { createWrongKeys } from '../callers/wrong-keys.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is asking; null only before authentication. */
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** The scope that a route needs. */
    scope?: NeededScope;
    /** Whether the route answers test keys too, by test ids alone, where there are any. */
    takesTestKeys?: true;
  }
  interface FastifyInstance {
    /** Whether a request that was let in would be let in now: for answers that take hours. */
    isStillAllowed(request: FastifyRequest): boolean;
  }
}

/** What authentication needs. */
export interface AuthenticateOptions {
  readonly keyring: () => Keyring;
  readonly clock: Clock;
  /**
   * How many requests without a right key an address may send in a minute. Right keys are taken from it
   * whatever the count.
   */
  readonly wrongKeysMax: number;
  /** Whether keys with the scope `test` are of any use. */
  readonly hasTestIds: boolean;
  readonly traffic: TrafficObserver;
}

/**
 * Authenticates every route of the scope it is registered in, before the body is read. A route without a
 * scope is refused when it is added, so that none is open by oversight.
 */
export const authenticate = plugin<AuthenticateOptions>(
  async (app, { keyring, clock, wrongKeysMax, hasTestIds, traffic }) => {
    const holders = rememberHolders(keyring);
    const wrongKeys = createWrongKeys({ clock, max: wrongKeysMax });
    /** The address is the socket's: a forwarded one is whatever its sender claims. */
    const refuse = (request: FastifyRequest, isExpired: boolean): RiskgateError => {
      const retryAfterSeconds = wrongKeys.note(request.raw.socket.remoteAddress);
      if (retryAfterSeconds === null) return unauthenticated(request, isExpired);
      traffic.onRefused('wrong_keys', null);
      return new RiskgateError('rate_limited', 'Too many wrong keys from one address.', {
        publicDetail: 'Too many requests without a right API key came from this address.',
        retryAfterSeconds,
      });
    };
    app.decorateRequest('caller', null);
    app.decorate('isStillAllowed', (request) => {
      const token = presentedToken(request);
      const { scope } = request.routeOptions.config;
      if (token === null || scope === undefined) return false;
      return findHolder(holders, token, scope, clock.nowMs()) !== null;
    });
    app.addHook('onRoute', (route) => {
      if (route.config?.scope === undefined) throw new Error(`The route ${route.url} names no scope.`);
    });
    app.addHook(
      'onRequest',
      (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
        const token = presentedToken(request);
        const caller = token === null ? null : holders.find(token);
        const nowMs = clock.nowMs();
        const isExpired = caller !== null && caller.notAfterMs !== null && caller.notAfterMs <= nowMs;
        if (caller === null || isExpired) {
          done(refuse(request, isExpired));
          return;
        }
        request.caller = caller;
        caller.use.lastMs = nowMs;
        const { scope, takesTestKeys = false } = request.routeOptions.config;
        const isAllowed = scope !== undefined && hasScope(caller, scope);
        const isTest = hasTestIds && takesTestKeys && isTestCaller(caller);
        done(isAllowed || isTest ? undefined : lacksScope(scope));
      },
    );
  },
  { name: 'authenticate' },
);

function unauthenticated(request: FastifyRequest, isExpired: boolean): RiskgateError {
  const publicDetail = isExpired ? 'The API key has expired.' : whatIsMissing(request);
  return new RiskgateError('unauthenticated', 'No API key, or one that does not count.', { publicDetail });
}

/** How the caller can fix it. It reveals nothing that the caller has not sent. */
function whatIsMissing({ headers }: FastifyRequest): string {
  const { authorization, 'x-api-key': apiKey } = headers;
  const bearer = authorization === undefined ? null : bearerToken(authorization);
  if (bearer !== null && apiKey !== undefined && bearer !== apiKey)
    return 'Authorization and X-API-Key hold different keys. Send one of them.';
  if (bearer !== null || apiKey !== undefined) return 'The API key is not known here.';
  const how = 'Send the API key as `Authorization: Bearer <key>` or as `X-API-Key: <key>`.';
  return authorization === undefined ? how : `Authorization is read as a bearer token only. ${how}`;
}

/** The authenticated caller, who must have `scope`. Throws `forbidden`. */
export function requireScope(request: FastifyRequest, scope: NeededScope): void {
  if (request.caller === null || !hasScope(request.caller, scope)) throw lacksScope(scope);
}

function lacksScope(scope: NeededScope = []): RiskgateError {
  const needed = [scope]
    .flat()
    .map((each) => `"${each}"`)
    .join(' or ');
  const publicDetail = `The API key needs the scope ${needed}.`;
  return new RiskgateError('forbidden', 'The API key lacks a scope.', { publicDetail });
}

/**
 * `Authorization: Bearer` (RFC 6750) or `X-API-Key`; any other scheme is ignored. Two different keys in one
 * request match no caller.
 */
function presentedToken({ headers }: FastifyRequest): string | null {
  const { authorization, 'x-api-key': apiKey } = headers;
  const bearer = authorization === undefined ? null : bearerToken(authorization);
  const plain = typeof apiKey === 'string' ? apiKey : null;
  if (bearer !== null && plain !== null && bearer !== plain) return null;
  return bearer ?? plain;
}

function bearerToken(authorization: string): string | null {
  const space = authorization.indexOf(' ');
  const scheme = space === -1 ? authorization : authorization.slice(0, space);
  if (scheme !== 'Bearer' && scheme.toLowerCase() !== 'bearer') return null;
  return space === -1 ? '' : authorization.slice(space + 1).trim();
}
