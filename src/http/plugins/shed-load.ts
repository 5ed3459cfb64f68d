import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { RiskgateError } from '../../domain/errors.ts';
import type { RefusalReason, TrafficObserver } from '../callers/traffic-observer.ts';

/** What refusing work under overload needs. */
export interface ShedLoadOptions {
  /** Why the next decision would be refused, or null. */
  readonly overload: () => Extract<RefusalReason, 'in_flight' | 'event_loop' | 'heap'> | null;
  /** True shortly before decisions are refused: reads of the decision log are refused first. */
  readonly isStrained: () => boolean;
  readonly traffic: TrafficObserver;
}

/** One shared error: a stack trace would cost more than the refusal. */
const OVERLOADED = new RiskgateError('overloaded', 'More work than can be done in time.');

/**
 * The same for reads of the decision log. A reader can try again; a caller that waits for a decision cannot.
 */
const STRAINED = new RiskgateError('overloaded', 'Reads give way to decisions.', {
  publicDetail: 'Decisions come first: reads are refused while the service is busy with them.',
  retryAfterSeconds: 2,
});

/**
 * Refuses decisions that the process could not make in time, and reads of the decision log a little earlier,
 * before anything else is done for them. Other routes, the policy and purges among them, are never refused
 * here. Register it before authentication: a refusal has to be cheap.
 */
export const shedLoad = plugin<ShedLoadOptions>(
  async (app, { overload, isStrained, traffic }) => {
    app.addHook(
      'onRequest',
      (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
        const { scope, readsLog } = request.routeOptions.config;
        if (readsLog !== undefined && isStrained()) {
          traffic.onRefused('reads', null);
          done(STRAINED);
          return;
        }
        const reason = scope === 'decide' ? overload() : null;
        if (reason === null) {
          done();
          return;
        }
        traffic.onRefused(reason, null);
        done(OVERLOADED);
      },
    );
  },
  { name: 'shed-load' },
);
