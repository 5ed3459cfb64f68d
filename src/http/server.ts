import Fastify, { type FastifyInstance, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { Clock } from '../application/clock.ts';
import type { OperationObserver } from '../application/operation-observer.ts';
import { canonicalAddress } from '../domain/ip-address.ts';
import { boundConnections } from './bound-connections.ts';
import { boundPipelining } from './bound-pipelining.ts';
import { answerBrokenRequest, type BrokenRequestAnswers } from './broken-request.ts';
import { boundHeaders, HEADER_BYTES_MAX } from './plugins/bound-headers.ts';
import { problemDetails, sendProblem } from './plugins/problem-details.ts';
import { refuseAmbiguity } from './plugins/refuse-ambiguity.ts';
import { readUnambiguousJson } from './plugins/unambiguous-json.ts';
import { sharedSerializers } from './shared-serializers.ts';
import { validatorsOnDemand } from './validators-on-demand.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * When its headers had arrived, monotonic milliseconds: its deadline counts from here, whatever is done
     * before the decision.
     */
    receivedAtMs: number;
  }
}

/** The largest request body: ids, a user agent and little else. */
const BODY_BYTES_MAX = 16 * 1024;
/**
 * A client that has not sent its whole request by then is holding a socket, not asking. It counts from a
 * request's first byte, so that it may be shorter than a connection may be idle.
 */
const REQUEST_TIMEOUT_MS = 10_000;
/** How often node:http looks for such clients; its own default of 30 s would triple the timeout. */
const CONNECTION_CHECK_MS = 1_000;
/**
 * A connection on which nothing moves in either direction is ended: its client does not read its answer.
 * It is never shorter than an answer may take, during which nothing moves either, nor than the pause between
 * two heartbeats of a stream.
 */
const CONNECTION_TIMEOUT_MS_MIN = 15_000;

const CONNECTION_LIMITS = {
  bodyLimit: BODY_BYTES_MAX,
  requestTimeout: REQUEST_TIMEOUT_MS,
} as const;

/** A request is taken as it is or refused, with every mistake in it. */
const VALIDATION = {
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
  allErrors: true,
  allowUnionTypes: true,
  // The schemas are code: openapi/document.ts holds them against JSON Schema. Here that takes 60 ms of a
  // start.
  validateSchema: false,
  formats: { ip: (text: string) => canonicalAddress(text) !== null },
} as const;

/** How the schemas of routes become code that checks and writes, for whatever registers routes. */
export const ROUTE_COMPILERS = {
  ajv: { customOptions: VALIDATION },
  schemaController: {
    compilersFactory: { buildSerializer: sharedSerializers, buildValidator: validatorsOnDemand },
  },
} as const;

/** What every request passes is built with. */
export interface ServerOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** A new request id, for requests that bring none. */
  readonly newId: () => string;
  readonly observer: Pick<OperationObserver, 'onRefusal'>;
  readonly gateways: GatewayRequests;
  readonly isDraining: () => boolean;
  /** How long a connection may be idle. */
  readonly keepAliveMs: number;
  readonly connectionsMax: number;
  /** The longest that an answer may take. */
  readonly answerMsMax: number;
}

/** What is to be known of the requests of gateways before they reach their routes. */
interface GatewayRequests extends BrokenRequestAnswers {
  /**
   * True for a URL of a gateway's request, as it came or as the router sees it: the header fields there are
   * an end user's, who must not choose what is logged.
   */
  owns(url: string): boolean;
  /** The path that the router is to see in place of a raw URL. */
  toRoutePath(url: string): string;
  /** The largest head of a request from a gateway, at least that of other routes. */
  readonly headerBytesMax: number;
}

/** Builds the HTTP server with all that every request passes, ready for routes. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { gateways, observer, clock, newId } = options;
  const app: FastifyInstance = Fastify({
    ...ROUTE_COMPILERS,
    ...CONNECTION_LIMITS,
    connectionTimeout: Math.max(CONNECTION_TIMEOUT_MS_MIN, options.answerMsMax),
    http: {
      headersTimeout: REQUEST_TIMEOUT_MS,
      // For gateways, and a little more, so that what is over its limit still shows whose it is.
      maxHeaderSize: gateways.headerBytesMax + HEADER_BYTES_MAX,
      connectionsCheckingInterval: CONNECTION_CHECK_MS,
      // Of two Authorization or Content-Type fields node:http would take the first and a proxy perhaps the
      // last.
      joinDuplicateHeaders: true,
      // A missing Host is refused by a hook, with a problem document.
      requireHostHeader: false,
    },
    keepAliveTimeout: options.keepAliveMs,
    // A request on a connection that is still open while draining is answered, with `Connection: close`.
    return503OnClosing: false,
    genReqId: ({ url = '/', headers }) =>
      (gateways.owns(url) ? null : toRequestId(headers['x-request-id'])) ?? newId(),
    logController: new LogController({ disableRequestLogging: true }),
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, options),
    rewriteUrl: ({ url = '/' }) => gateways.toRoutePath(url),
    frameworkErrors: (_error, request, reply) => {
      observer.onRefusal({ code: 'invalid_request' });
      sendProblem(request, reply, { code: 'invalid_request', detail: 'The URL is not valid.' });
    },
  });
  app.decorateRequest('receivedAtMs', 0);
  app.addHook('onRequest', (request, reply, done) => {
    request.receivedAtMs = clock.monotonicMs();
    void reply.header('x-request-id', request.id);
    // A client that keeps the connection would see it end later, in the middle of a request.
    if (options.isDraining()) void reply.header('connection', 'close');
    done();
  });
  boundConnections(app.server, options.connectionsMax, options.logger);
  boundPipelining(app.server, options.logger);
  boundHeaders(app, gateways);
  refuseAmbiguity(app);
  readUnambiguousJson(app);
  await app.register(problemDetails, options);
  return app;
}

/** A caller's request id is echoed and logged, so only what is safe in a header and a log line is taken. */
function toRequestId(header: string | string[] | undefined): string | null {
  return typeof header === 'string' && /^[A-Za-z0-9._~:@/+=-]{1,128}$/.test(header) ? header : null;
}
