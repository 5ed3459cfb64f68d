import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { RiskgateError } from '../../domain/errors.ts';
import { createPlaces } from '../../platform/places.ts';
import type { TrafficObserver } from '../callers/traffic-observer.ts';

/** What bounding reads needs. */
export interface BoundReadsOptions {
  readonly traffic: TrafficObserver;
  /** Answers from the decision log under way in this process; more wait a little. */
  readonly readsConcurrent: number;
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

/** How long a read waits for its place: a page asks for several things at once. */
const WAIT_MS = 1_000;
/** Who may wait, for each place. */
const WAITING_SHARE = 4;
const RETRY_AFTER_SECONDS = 2;

/**
 * Bounds the reads of the decision log that are under way: they read it in turns, so that more at a time
 * would only take longer. Others wait for a second at most. A place is given back when its response is over,
 * however it ends. Register it after authentication, so that strangers take none.
 */
export const boundReads = plugin<BoundReadsOptions>(
  async (app, { traffic, readsConcurrent }) => {
    const places = createPlaces({
      max: readsConcurrent,
      waitingMax: WAITING_SHARE * readsConcurrent,
      waitMs: WAIT_MS,
    });
    const tooMany = new RiskgateError('overloaded', 'Too many reads are under way.', {
      publicDetail: `This replica answers ${readsConcurrent} reads at a time, so that decisions come first.`,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
    app.addHook(
      'onRequest',
      (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
        if (request.routeOptions.config.readsLog !== 'briefly') {
          done();
          return;
        }
        const leave = places.take((isGranted) => {
          if (!isGranted) traffic.onRefused('reads', request.caller?.id ?? null);
          done(isGranted ? undefined : tooMany);
        });
        // node:http emits it exactly once, for an answer that was sent and for a client that went away. One that
        // went away while its limit was asked for is closed already.
        if (reply.raw.closed) leave();
        else reply.raw.once('close', leave);
      },
    );
  },
  { name: 'bound-reads', dependencies: ['authenticate'] },
);
