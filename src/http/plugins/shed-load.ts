import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { RiskgateError } from '../../domain/errors.ts';
import type { RefusalReason, TrafficObserver } from '../callers/traffic-observer.ts';

export interface ShedLoadOptions {
  /** What keeps the next decision out, or null. */
  readonly overload: () => Extract<RefusalReason, 'in_flight' | 'event_loop' | 'heap'> | null;
  readonly traffic: TrafficObserver;
}

/** One for all, for a stack trace would cost more than the refusal. */
const OVERLOADED = new RiskgateError('overloaded', 'More work than can be done in time.');

/** Refuses decisions that the process could not make in time, before anything else is done for them. Other routes, purges among them, are never refused here. Register it before authentication: a refusal has to be cheap. */
export const shedLoad = plugin<ShedLoadOptions>(
  async (app, { overload, traffic }) => {
    app.addHook(
      'onRequest',
      (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
        const reason = overload();
        if (reason === null || request.routeOptions.config.scope !== 'decide') {
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
