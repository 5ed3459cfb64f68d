import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { RiskgateError } from '../../domain/errors.ts';
import type { TrafficObserver } from '../callers/traffic-observer.ts';

interface BoundReadsOptions {
  readonly traffic: TrafficObserver;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * How a route reads the decision log: for an answer at once, or for one that takes as long as its client
     * likes and has a bound of its own. Absent where it does not.
     */
    readsLog?: 'briefly' | 'at length';
  }
}

/**
 * Answers from the decision log under way in this process. They read it in turns, so that more would only
 * wait longer.
 */
const READS_MAX = 32;

const TOO_MANY = new RiskgateError('overloaded', 'Too many reads are under way.', {
  publicDetail: `This replica answers ${READS_MAX} reads at a time, so that decisions come first.`,
  retryAfterSeconds: 2,
});

/**
 * Bounds the reads of the decision log that are under way. A place is given back when its response is over,
 * however it ends. Register it after authentication, so that strangers take none.
 */
export const boundReads = plugin<BoundReadsOptions>(
  async (app, { traffic }) => {
    let underWay = 0;
    app.addHook(
      'onRequest',
      (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
        if (request.routeOptions.config.readsLog !== 'briefly') {
          done();
          return;
        }
        if (underWay >= READS_MAX) {
          traffic.onRefused('reads', request.caller?.id ?? null);
          done(TOO_MANY);
          return;
        }
        underWay += 1;
        // node:http emits it exactly once, for an answer that was sent and for a client that went away.
        reply.raw.once('close', () => {
          underWay -= 1;
        });
        done();
      },
    );
  },
  { name: 'bound-reads', dependencies: ['authenticate'] },
);
