import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RiskgateError } from '../domain/errors.ts';
import { countHeaderBytes } from '../platform/header-bytes.ts';
import { METHODS } from '../platform/http-names.ts';
import { toSharedAnswer } from './answer.ts';
import { announcesBody, awaitBodyEnd } from './body-end.ts';
import type { Check } from './check.ts';
import type { GatewayAnswer, GatewayDialect, GatewayHeaders, GatewayResult } from './definition.ts';
import { noteGatewaySocket } from './entry-point.ts';
import { DEFECT_RESULT, refusedResult, TOO_LARGE_RESULT } from './gateway-result.ts';
import type { NoteRefusal } from './refusal-log.ts';
import { GATEWAY_ROUTE_SCHEMA } from './route-schema.ts';

/** `/v1/gateway/<dialect>/<profile>` and whatever follows, undecoded. */
const ADDRESS = /^\/v1\/gateway\/([^/?]*)\/([^/?]*)(.*)$/s;
const ROUTE_PATTERN = '/v1/gateway/:dialect/:profile';

/** What the requests of this group use. */
export interface GatewayDependencies {
  readonly dialects: ReadonlyMap<string, GatewayDialect>;
  readonly check: Check;
  readonly noteRefusal: NoteRefusal;
  /** While draining, an answer asks the gateway to close its connection. */
  readonly isDraining: () => boolean;
  /** The largest head of a request that is read. */
  readonly headerBytesMax: number;
}

interface GatewayRoutesOptions {
  /** Null describes the route, and answers nothing. */
  readonly serve: GatewayDependencies | null;
}

/** Every method and every shape of request below the prefix of gateways. */
export async function gatewayRoutes(app: FastifyInstance, { serve }: GatewayRoutesOptions): Promise<void> {
  // node:http calls no request handler for CONNECT.
  const methods = METHODS.filter((method) => method !== 'CONNECT');
  const known = new Set(app.supportedMethods);
  for (const method of methods) if (!known.has(method)) app.addHttpMethod(method, { hasBody: true });
  if (serve !== null) answerAll(app, serve);
  const handler = (_request: FastifyRequest, reply: FastifyReply) =>
    send(reply, toSharedAnswer(DEFECT_RESULT, null));
  const others = methods.filter((method) => method !== 'GET');
  app.route({
    method: 'GET',
    url: ROUTE_PATTERN,
    exposeHeadRoute: false,
    schema: GATEWAY_ROUTE_SCHEMA,
    handler,
  });
  app.route({ method: others, url: ROUTE_PATTERN, schema: { hide: true }, handler });
}

/** Everything is answered before a body parser can find fault with a content type or a length. */
function answerAll(scope: FastifyInstance, serve: GatewayDependencies): void {
  scope.setErrorHandler((error, _request, reply) => send(reply, answerError(error, reply, serve)));
  scope.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done: Failed) => {
    answer(request, reply, serve, done);
  });
}

/**
 * The server refuses a request whose host is unclear before it gets here. End users choose the host where a
 * gateway passes it on, so that is a BLOCK, and never an outage of ours that a gateway with a fail-open would
 * let in.
 */
function answerError(
  error: unknown,
  reply: FastifyReply,
  { noteRefusal }: GatewayDependencies,
): GatewayAnswer {
  if (!(error instanceof RiskgateError) || error.code !== 'invalid_request')
    return toSharedAnswer(DEFECT_RESULT, null);
  noteRefusal('REQUEST_MALFORMED', null, null);
  // The body was not read.
  void reply.header('connection', 'close');
  return toSharedAnswer(refusedResult('REQUEST_MALFORMED'), null);
}

/** Hands an error on to the error handler. */
type Failed = (error: Error) => void;

function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  options: GatewayDependencies,
  failed: Failed,
): void {
  const [, dialectId = '', profile = '', rest = ''] = ADDRESS.exec(request.originalUrl) ?? [];
  const dialect = options.dialects.get(dialectId);
  noteGatewaySocket(request.raw.socket);
  const made =
    dialect === undefined ? unknownAddress(options) : ask(request, dialect, profile, rest, options);
  const finish = (result: GatewayResult, isBodyComplete: boolean) => {
    if (!isBodyComplete || options.isDraining()) void reply.header('connection', 'close');
    send(reply, dialect === undefined ? toSharedAnswer(result, null) : dialect.toAnswer(result));
  };
  const hasBody = announcesBody(request.raw);
  if (!hasBody && !(made instanceof Promise)) {
    finish(made, true);
    return;
  }
  const bodyEnd = hasBody ? awaitBodyEnd(request.raw) : true;
  Promise.all([made, bodyEnd])
    .then(([result, isBodyComplete]) => finish(result, isBodyComplete))
    .catch(failed);
}

function unknownAddress({ noteRefusal }: GatewayDependencies): GatewayResult {
  noteRefusal('ADDRESS_UNKNOWN', null, null);
  return refusedResult('ADDRESS_UNKNOWN');
}

function ask(
  request: FastifyRequest,
  dialect: GatewayDialect,
  profile: string,
  rest: string,
  { check, headerBytesMax, noteRefusal }: GatewayDependencies,
): GatewayResult | Promise<GatewayResult> {
  if (countHeaderBytes(request.raw) > headerBytesMax) {
    noteRefusal('REQUEST_TOO_LARGE', dialect.id, null);
    return TOO_LARGE_RESULT;
  }
  const headers = toDistinct(request.raw);
  return check({
    dialect: dialect.id,
    profile,
    credentials: { headers, peerAddress: request.raw.socket.remoteAddress },
    original: () => dialect.toOriginal({ method: request.method, rest, headers }),
    requestId: request.id,
  });
}

/** Every field with all its values: node:http itself drops or joins repeated ones. */
function toDistinct({ rawHeaders }: IncomingMessage): GatewayHeaders {
  // Without a prototype, as a field may have any name.
  const headers = Object.create(null) as Record<string, string[]>;
  for (let place = 0; place + 1 < rawHeaders.length; place += 2) {
    const name = (rawHeaders[place] ?? '').toLowerCase();
    const value = rawHeaders[place + 1] ?? '';
    const values = headers[name];
    if (values === undefined) headers[name] = [value];
    else values.push(value);
  }
  return headers;
}

function send(reply: FastifyReply, { status, headers, body }: GatewayAnswer): FastifyReply {
  return reply.code(status).headers(headers).send(body);
}
