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
import { bringsKey, presentedKey, whatIsMissing } from '../callers/presented-key.ts';
import { sessionTokenOf } from '../callers/session-cookie.ts';
import type { OpenSession, SessionResult, Sessions } from '../callers/sessions.ts';
import type { TrafficObserver } from '../callers/traffic-observer.ts';
import { createWrongKeys } from '../callers/wrong-keys.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is asking; null only before authentication. */
    caller: Caller | null;
    /** The session that the caller is known by; null for one with a key. */
    session: OpenSession | null;
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
  /** Null or absent where browsers cannot sign in. */
  readonly sessions?: Sessions | null;
}

/**
 * Authenticates every route of the scope it is registered in, before the body is read. A route without a
 * scope is refused when it is added, so that none is open by oversight.
 */
export const authenticate = plugin<AuthenticateOptions>(
  async (app, { keyring, clock, wrongKeysMax, hasTestIds, traffic, sessions = null }) => {
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
    app.decorateRequest('session', null);
    app.decorate('isStillAllowed', (request) => {
      const key = presentedKey(request);
      const { scope } = request.routeOptions.config;
      if (scope === undefined) return false;
      if (key !== null) return findHolder(holders, key, scope, clock.nowMs()) !== null;
      return request.session !== null && (sessions?.isOpen(request.session, scope) ?? false);
    });
    app.addHook('onRoute', (route) => {
      if (route.config?.scope === undefined) throw new Error(`The route ${route.url} names no scope.`);
    });
    /** An error refuses the request. */
    const admit = (request: FastifyRequest, caller: Caller | null): RiskgateError | undefined => {
      const nowMs = clock.nowMs();
      const isExpired = caller !== null && caller.notAfterMs !== null && caller.notAfterMs <= nowMs;
      if (caller === null || isExpired) return refuse(request, isExpired);
      request.caller = caller;
      caller.use.lastMs = nowMs;
      const { scope, takesTestKeys = false } = request.routeOptions.config;
      const isAllowed = scope !== undefined && hasScope(caller, scope);
      const isTest = hasTestIds && takesTestKeys && isTestCaller(caller);
      return isAllowed || isTest ? undefined : lacksScope(scope);
    };
    const admitSession = (request: FastifyRequest, found: SessionResult): RiskgateError | undefined => {
      if (found === 'unavailable') return cannotTell();
      if (found === 'none') return refuse(request, false);
      request.session = found;
      return admit(request, found.caller);
    };
    app.addHook(
      'onRequest',
      (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
        const token = sessions === null || bringsKey(request) ? null : sessionTokenOf(request);
        if (sessions === null || token === null) {
          const key = presentedKey(request);
          done(admit(request, key === null ? null : holders.find(key)));
          return;
        }
        const found = sessions.find(token);
        if (found instanceof Promise) found.then((late) => done(admitSession(request, late)), done);
        else done(admitSession(request, found));
      },
    );
  },
  { name: 'authenticate' },
);

/** Whoever is signed in stays so: this is no reason to ask for the key again. */
function cannotTell(): RiskgateError {
  return new RiskgateError('store_unavailable', 'Sessions cannot be read.', {
    publicDetail: 'Who is signed in cannot be looked up now. A request with an API key is answered.',
    retryAfterSeconds: 1,
  });
}

function unauthenticated(request: FastifyRequest, isExpired: boolean): RiskgateError {
  const publicDetail = isExpired ? 'The API key has expired.' : whatIsMissing(request);
  return new RiskgateError('unauthenticated', 'No API key, or one that does not count.', { publicDetail });
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
