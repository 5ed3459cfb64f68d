import Fastify, { type FastifyInstance, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { OperationObserver } from '../application/operation-observer.ts';
import type { DecisionObserver } from '../application/ports.ts';
import type { PurgeEvidence } from '../application/purge-evidence.ts';
import { canonicalAddress } from '../domain/ip-address.ts';
import { boundConnections } from './bound-connections.ts';
import { answerBrokenRequest, type BrokenRequestDoor } from './broken-request.ts';
import type { DecisionReadOptions } from './decision-log/decision-reads.ts';
import { type AuthenticateOptions, authenticate } from './plugins/authenticate.ts';
import { boundHeaders, HEADER_BYTES_MAX } from './plugins/bound-headers.ts';
import { boundReads } from './plugins/bound-reads.ts';
import { type LimitCallersOptions, limitCallers } from './plugins/limit-callers.ts';
import { registerOpenApi } from './plugins/openapi.ts';
import { problemDetails, sendProblem } from './plugins/problem-details.ts';
import { refuseAmbiguity } from './plugins/refuse-ambiguity.ts';
import { type ShedLoadOptions, shedLoad } from './plugins/shed-load.ts';
import { readUnambiguousJson, refuseCodings } from './plugins/unambiguous-json.ts';
import { type DecideRouteOptions, registerDecideRoute } from './routes/decide.ts';
import { registerDecisionExportRoute } from './routes/decision-export.ts';
import { registerDecisionStreamRoute } from './routes/decision-stream.ts';
import { registerDecisionsRoutes } from './routes/decisions.ts';
import { registerEvidenceRoute } from './routes/evidence.ts';
import { type HealthRouteOptions, registerHealthRoutes } from './routes/health.ts';
import {
  type MetricsRouteOptions,
  registerCallerMetricsRoute,
  registerMetricsRoute,
} from './routes/metrics.ts';
import { registerOutcomeRoute } from './routes/outcomes.ts';
import { type PolicyRouteOptions, registerPolicyRoute } from './routes/policy.ts';
import { type ProvidersRouteOptions, registerProvidersRoute } from './routes/providers.ts';
import { registerStatsRoute } from './routes/stats.ts';
import { sharedSerializers } from './shared-serializers.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** When its headers had arrived, monotonic milliseconds: its deadline counts from here, whatever is done before the decision. */
    receivedAtMs: number;
  }
}

/** The largest request body: ids, a user agent and little else. */
const BODY_BYTES_MAX = 16 * 1024;
/** A client that has not sent its whole request by then is holding a socket, not asking. It counts from a request's first byte, so that it may be shorter than a connection may be idle. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How often node:http looks for such clients; its own default of 30 s would triple the timeout. */
const CONNECTION_CHECK_MS = 1_000;
/** A connection on which nothing moves in either direction is ended: its client does not read its answer. Longer than any decision, during which nothing moves either. */
const CONNECTION_TIMEOUT_MS = 15_000;

/** A request is taken as it is or refused, with every mistake in it. */
const VALIDATION = {
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
  allErrors: true,
  allowUnionTypes: true,
  formats: { ip: (text: string) => canonicalAddress(text) !== null },
} as const;

interface ServerOptions
  extends ShedLoadOptions,
    AuthenticateOptions,
    LimitCallersOptions,
    DecideRouteOptions,
    PolicyRouteOptions,
    ProvidersRouteOptions,
    Omit<DecisionReadOptions, 'reads'>,
    MetricsRouteOptions,
    HealthRouteOptions {
  readonly observer: DecisionObserver & Pick<OperationObserver, 'onRefusal'>;
  readonly purge: PurgeEvidence;
  /** Null where there is no decision log to read. */
  readonly reads: DecisionReadOptions['reads'] | null;
  readonly logger: Logger;
  /** A new request id, for requests that bring none. */
  readonly newId: () => string;
  readonly door: Door;
  /** How long a connection may be idle. */
  readonly keepAliveMs: number;
  readonly connectionsMax: number;
}

/** Routes of another layer, which take requests that no route of the API would. */
interface Door extends BrokenRequestDoor {
  /** True for a URL of this door, as it came or as the router sees it: the header fields there are an end user's, who must not choose what is logged. */
  owns(url: string): boolean;
  /** The path that the router is to see in place of a raw URL. */
  toRoutePath(url: string): string;
  register(app: FastifyInstance): void;
  /** The largest head of a request that it takes, at least that of other routes. */
  readonly headerBytesMax: number;
}

/** Builds the HTTP server with every route, ready to listen or to inject into. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    http: {
      headersTimeout: REQUEST_TIMEOUT_MS,
      // For the door, and a little more, so that what is over its limit still shows whose it is.
      maxHeaderSize: options.door.headerBytesMax + HEADER_BYTES_MAX,
      connectionsCheckingInterval: CONNECTION_CHECK_MS,
      // Of two Authorization or Content-Type fields node:http would take the first and a proxy perhaps the last.
      joinDuplicateHeaders: true,
      // A missing Host is refused by a hook, with a problem document.
      requireHostHeader: false,
    },
    keepAliveTimeout: options.keepAliveMs,
    // A request on a connection that is still open while draining is answered, with `Connection: close`.
    return503OnClosing: false,
    genReqId: ({ url = '/', headers }) =>
      (options.door.owns(url) ? null : toRequestId(headers['x-request-id'])) ?? options.newId(),
    ajv: { customOptions: VALIDATION },
    schemaController: { compilersFactory: { buildSerializer: sharedSerializers } },
    logController: new LogController({ disableRequestLogging: true }),
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, options),
    rewriteUrl: ({ url = '/' }) => options.door.toRoutePath(url),
    frameworkErrors: (_error, request, reply) => {
      options.observer.onRefusal({ code: 'invalid_request' });
      sendProblem(request, reply, { code: 'invalid_request', detail: 'The URL is not valid.' });
    },
  });
  app.decorateRequest('receivedAtMs', 0);
  app.addHook('onRequest', (request, reply, done) => {
    request.receivedAtMs = options.clock.monotonicMs();
    void reply.header('x-request-id', request.id);
    // Whoever keeps the connection would meet its end later, in the middle of a request.
    if (options.isDraining()) void reply.header('connection', 'close');
    done();
  });
  boundConnections(app.server, options.connectionsMax, options.logger);
  boundHeaders(app, options.door);
  refuseAmbiguity(app);
  readUnambiguousJson(app);
  await app.register(problemDetails, options);
  await registerOpenApi(app, options);
  registerHealthRoutes(app, options);
  registerMetricsRoute(app, options);
  options.door.register(app);
  await app.register(async (api) => {
    await api.register(shedLoad, options);
    await api.register(authenticate, options);
    await api.register(limitCallers, options);
    await api.register(boundReads, options);
    refuseCodings(api);
    registerDecideRoute(api, options);
    registerPolicyRoute(api, options);
    registerEvidenceRoute(api, options);
    if (options.reads !== null) registerDecisionReads(api, { ...options, reads: options.reads });
    registerProvidersRoute(api, options);
    registerCallerMetricsRoute(api, options);
  });
  return app;
}

function registerDecisionReads(api: FastifyInstance, options: DecisionReadOptions): void {
  registerDecisionsRoutes(api, options);
  registerDecisionStreamRoute(api, options);
  registerDecisionExportRoute(api, options);
  registerOutcomeRoute(api, options);
  registerStatsRoute(api, options);
}

/** A caller's request id is echoed and logged, so only what is safe in a header and a log line is taken. */
function toRequestId(header: string | string[] | undefined): string | null {
  return typeof header === 'string' && /^[A-Za-z0-9._~:@/+=-]{1,128}$/.test(header) ? header : null;
}
