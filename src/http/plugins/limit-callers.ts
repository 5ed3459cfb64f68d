import rateLimit from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { RequestCounter } from '../../application/ports.ts';
import { RiskgateError } from '../../domain/errors.ts';
import type { Slots } from '../../platform/slots.ts';
import type { CallerLimits } from '../callers/api-keys.ts';
import type { TrafficObserver } from '../callers/traffic-observer.ts';

export interface LimitCallersOptions {
  readonly requestCounter: RequestCounter;
  /** Requests under way by caller, in this process. */
  readonly callerSlots: Slots;
  readonly traffic: TrafficObserver;
}

/** Names of the quota policies in the header fields. */
const RATE = '"default"';
const CONCURRENCY = '"concurrency"';
/** A slot is free as soon as one of the caller's requests is answered, which takes no longer than a decision. */
const CONCURRENCY_RETRY_SECONDS = 1;

/**
 * Holds callers to the limits beside their key, and tells them how they stand (draft-ietf-httpapi-ratelimit-headers-10). A caller without limits passes through one comparison.
 * The plug-in counts; its own header fields are those of older drafts, and its own Redis store answers 500 or lets everyone pass when Redis is lost.
 */
export const limitCallers = plugin<LimitCallersOptions>(
  async (app, { requestCounter, callerSlots, traffic }) => {
    await app.register(rateLimit, { global: false, store: toStoreClass(requestCounter) });
    const take = app.createRateLimit({
      keyGenerator: ({ caller }) => caller?.id ?? '',
      max: ({ caller }) => caller?.limits?.rate?.requests ?? 0,
      timeWindow: ({ caller }) => (caller?.limits?.rate?.windowSeconds ?? 1) * 1000,
    });
    app.addHook(
      'onRequest',
      (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
        const { caller } = request;
        if (caller?.limits == null) {
          done();
          return;
        }
        const { limits } = caller;
        void reply.header('ratelimit-policy', toPolicyField(limits));
        if (limits.concurrent !== null && !takeSlot(callerSlots, caller.id, limits.concurrent, reply)) {
          traffic.onRefused('concurrency', caller.id);
          void reply.header('ratelimit', `${CONCURRENCY};r=0`);
          done(rateLimited(CONCURRENCY_RETRY_SECONDS));
          return;
        }
        if (limits.rate === null) {
          done();
          return;
        }
        void take(request).then((taken) => {
          // Nobody is on an allow-list.
          if (taken.isAllowed) return done();
          const seconds = Math.max(1, taken.ttlInSeconds);
          void reply.header('ratelimit', `${RATE};r=${taken.remaining};t=${seconds}`);
          if (!taken.isExceeded) return done();
          traffic.onRefused('rate', caller.id);
          done(rateLimited(seconds));
        }, done);
      },
    );
  },
  { name: 'limit-callers', dependencies: ['authenticate'] },
);

function rateLimited(retryAfterSeconds: number): RiskgateError {
  return new RiskgateError('rate_limited', 'More requests than the limits allow.', { retryAfterSeconds });
}

function toPolicyField({ rate, concurrent }: CallerLimits): string {
  const policies: string[] = [];
  if (rate !== null) policies.push(`${RATE};q=${rate.requests};w=${rate.windowSeconds}`);
  if (concurrent !== null) policies.push(`${CONCURRENCY};q=${concurrent};qu="concurrent-requests"`);
  return policies.join(', ');
}

/** A slot is given back when its response is over, however it ends. */
function takeSlot(slots: Slots, callerId: string, max: number, reply: FastifyReply): boolean {
  const release = slots.take(callerId, max);
  if (release === null) return false;
  // node:http emits it exactly once, for an answer that was sent and for a client that went away.
  reply.raw.once('close', release);
  return true;
}

function toStoreClass(counter: RequestCounter) {
  return class {
    incr(
      callerId: string,
      callback: (error: Error | null, result?: { current: number; ttl: number }) => void,
      windowMs: number,
      max: number,
    ): void {
      void Promise.resolve(counter.count(callerId, windowMs, max)).then(({ count, leftMs }) =>
        callback(null, { current: count, ttl: leftMs }),
      );
    }

    child() {
      return this;
    }
  };
}
