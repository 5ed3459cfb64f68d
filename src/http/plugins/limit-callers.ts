import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type {
  CallerLimits,
  HoldToLimits,
  LimitedCaller,
  Permit,
} from '../../application/callers/hold-to-limits.ts';
import { RiskgateError } from '../../domain/errors.ts';
import type { TrafficObserver } from '../callers/traffic-observer.ts';

/** What enforcing the limits of callers needs. */
export interface LimitCallersOptions {
  readonly holdToLimits: HoldToLimits;
  readonly traffic: TrafficObserver;
}

/** Names of the quota policies in the header fields. */
const RATE = '"default"';
const CONCURRENCY = '"concurrency"';

type Done = (error?: Error) => void;

/**
 * Enforces the limits of callers, and reports what is left in headers
 * (draft-ietf-httpapi-ratelimit-headers-10). A caller without limits costs one comparison.
 */
export const limitCallers = plugin<LimitCallersOptions>(
  async (app, { holdToLimits, traffic }) => {
    const settle = (permit: Permit, callerId: string, reply: FastifyReply, done: Done): void => {
      if (permit.rate !== null) void reply.header('ratelimit', toRateField(permit.rate));
      if (permit.isGranted) {
        releaseWithResponse(permit.release, reply);
        done();
        return;
      }
      if (permit.limit === 'concurrency') void reply.header('ratelimit', `${CONCURRENCY};r=0`);
      traffic.onRefused(permit.limit, callerId);
      done(
        new RiskgateError('rate_limited', 'More requests than the limits allow.', {
          retryAfterSeconds: permit.retryAfterSeconds,
        }),
      );
    };
    app.addHook('onRequest', ({ caller }: FastifyRequest, reply: FastifyReply, done: Done) => {
      if (!isLimited(caller)) {
        done();
        return;
      }
      void reply.header('ratelimit-policy', policyFieldOf(caller.limits));
      const permit = holdToLimits(caller);
      if (permit instanceof Promise)
        void permit.then((granted) => settle(granted, caller.id, reply, done), done);
      else settle(permit, caller.id, reply, done);
    });
  },
  { name: 'limit-callers', dependencies: ['authenticate'] },
);

function isLimited(
  caller: LimitedCaller | null,
): caller is LimitedCaller & { readonly limits: CallerLimits } {
  return caller !== null && caller.limits !== null;
}

/** By the limits of a keyring's entry, which last as long as it does. */
const policyFields = new WeakMap<CallerLimits, string>();

function policyFieldOf(limits: CallerLimits): string {
  const known = policyFields.get(limits);
  if (known !== undefined) return known;
  const field = toPolicyField(limits);
  policyFields.set(limits, field);
  return field;
}

/** The field `RateLimit`: what is left of the window, and how long it lasts. */
export function toRateField({ remaining, seconds }: NonNullable<Permit['rate']>): string {
  return `${RATE};r=${remaining};t=${seconds}`;
}

function toPolicyField({ rate, concurrent }: CallerLimits): string {
  const policies: string[] = [];
  if (rate !== null) policies.push(`${RATE};q=${rate.requests};w=${rate.windowSeconds}`);
  if (concurrent !== null) policies.push(`${CONCURRENCY};q=${concurrent};qu="concurrent-requests"`);
  return policies.join(', ');
}

/**
 * A place is given back when its response is over, however it ends: at once where the client left while its
 * requests were counted.
 */
function releaseWithResponse(release: () => void, { raw }: FastifyReply): void {
  if (raw.closed) release();
  else raw.once('close', release);
}
