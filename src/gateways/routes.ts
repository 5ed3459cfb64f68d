import { type IncomingMessage, METHODS } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RiskgateError } from '../domain/errors.ts';
import { countHeaderBytes } from '../platform/header-bytes.ts';
import { toRiskHeaders, toSharedAnswer } from './answer.ts';
import { announcesBody, awaitBodyEnd } from './body-end.ts';
import type { Check } from './check.ts';
import type { GatewayAnswer, GatewayDialect, GatewayHeaders, GatewayOutcome } from './definition.ts';
import { DEFECT_OUTCOME, refusedOutcome, TOO_LARGE_OUTCOME } from './outcome.ts';
import type { NoteRefusal } from './refusal-log.ts';
import { GATEWAY_ROUTE_SCHEMA } from './route-schema.ts';

const PREFIX = '/v1/gateway/';
/** `/v1/gateway/<dialect>/<profile>` and whatever follows, undecoded. */
const ADDRESS = /^\/v1\/gateway\/([^/?]*)\/([^/?]*)(.*)$/s;
/** What the router sees of every address below the prefix: it would refuse bad escapes and long parameters, which end users may send. */
const ROUTE_PATH = '/v1/gateway/-/-';
const ROUTE_PATTERN = '/v1/gateway/:dialect/:profile';

interface GatewayDoorOptions {
  readonly dialects: ReadonlyMap<string, GatewayDialect>;
  readonly check: Check;
  readonly noteRefusal: NoteRefusal;
  /** While draining, an answer asks the gateway to close its connection. */
  readonly isDraining: () => boolean;
  /** The largest head of a request that is read: at least what gateways take from clients. */
  readonly headerBytesMax: number;
}

/** The HTTP door for gateways, to be hung into a server: every method and every shape of request below one prefix. */
export interface GatewayDoor {
  /** True for a URL of this door, as it came or as the router sees it. */
  owns(url: string): boolean;
  /** The path that a router is to see in place of a raw URL. */
  toRoutePath(url: string): string;
  register(app: FastifyInstance): void;
  readonly headerBytesMax: number;
  /** The answer to what node:http could not parse, as far as its first bytes or its connection show that a gateway sent it; else null. */
  answerBroken(broken: BrokenRequest): GatewayAnswer | null;
  /** Of an answer to what nobody could parse: a gateway may have sent it. */
  readonly brokenHeaders: Readonly<Record<string, string>>;
}

/** What is known of a request that never became one. */
interface BrokenRequest {
  /** What was read last of it. */
  readonly packet: Uint8Array | undefined;
  readonly socket: Socket;
  readonly isTooLarge: boolean;
}

/** Builds the routes of all dialects, and what the server needs to tell their requests from its own. */
export function createGatewayDoor(options: GatewayDoorOptions): GatewayDoor {
  const malformed = refusedOutcome('REQUEST_MALFORMED');
  const { headerBytesMax, noteRefusal } = options;
  return {
    owns: isGatewayUrl,
    headerBytesMax,
    toRoutePath: (url) => (isGatewayUrl(url) ? ROUTE_PATH : url),
    register: (app) => registerGatewayRoutes(app, options),
    answerBroken: ({ packet, socket, isTooLarge }) => {
      const isGateways = beginsWithGatewayUrl(packet) || (isTooLarge && askedBefore.has(socket));
      if (!isGateways) return null;
      noteRefusal(isTooLarge ? 'REQUEST_TOO_LARGE' : 'REQUEST_MALFORMED', null, null);
      return toSharedAnswer(isTooLarge ? TOO_LARGE_OUTCOME : malformed, null);
    },
    brokenHeaders: toRiskHeaders({ decision: 'UNAVAILABLE', decisionId: null, reasons: malformed.reasons }),
  };
}

/** Connections on which a gateway has asked. */
const askedBefore = new WeakSet<Socket>();

function beginsWithGatewayUrl(packet: Uint8Array | undefined): boolean {
  const [line = ''] = Buffer.from(packet ?? [])
    .toString('latin1', 0, 256)
    .split('\r\n', 1);
  const [, target = ''] = line.split(' ');
  return isGatewayUrl(target);
}

function isGatewayUrl(url: string): boolean {
  return url.startsWith(PREFIX) || /^\/v1\/gateway(?:$|\?)/.test(url);
}

function registerGatewayRoutes(app: FastifyInstance, options: GatewayDoorOptions): void {
  // node:http gives CONNECT to nobody's request handler.
  const methods = METHODS.filter((method) => method !== 'CONNECT');
  const known = new Set(app.supportedMethods);
  for (const method of methods) if (!known.has(method)) app.addHttpMethod(method, { hasBody: true });
  // node:http would answer an expectation that it does not know with a bare 417.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  void app.register(async (scope) => {
    scope.setErrorHandler((error, _request, reply) => send(reply, answerError(error, reply, options)));
    // Everything is answered before a body parser can find fault with a content type or a length.
    scope.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done: Failed) => {
      answer(request, reply, options, done);
    });
    const handler = (_request: FastifyRequest, reply: FastifyReply) =>
      send(reply, toSharedAnswer(DEFECT_OUTCOME, null));
    const others = methods.filter((method) => method !== 'GET');
    scope.route({
      method: 'GET',
      url: ROUTE_PATTERN,
      exposeHeadRoute: false,
      schema: GATEWAY_ROUTE_SCHEMA,
      handler,
    });
    scope.route({ method: others, url: ROUTE_PATTERN, schema: { hide: true }, handler });
  });
}

/** The server refuses a request whose host is unclear before it gets here. End users choose the host where a gateway passes it on, so that is a BLOCK, and never an outage of ours that a gateway with a fail-open would let in. */
function answerError(
  error: unknown,
  reply: FastifyReply,
  { noteRefusal }: GatewayDoorOptions,
): GatewayAnswer {
  if (!(error instanceof RiskgateError) || error.code !== 'invalid_request')
    return toSharedAnswer(DEFECT_OUTCOME, null);
  noteRefusal('REQUEST_MALFORMED', null, null);
  // Nobody has read the body.
  void reply.header('connection', 'close');
  return toSharedAnswer(refusedOutcome('REQUEST_MALFORMED'), null);
}

/** Hands an error on to the error handler. */
type Failed = (error: Error) => void;

function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  options: GatewayDoorOptions,
  failed: Failed,
): void {
  const [, dialectId = '', profile = '', rest = ''] = ADDRESS.exec(request.originalUrl) ?? [];
  const dialect = options.dialects.get(dialectId);
  askedBefore.add(request.raw.socket);
  const made =
    dialect === undefined ? unknownAddress(options) : ask(request, dialect, profile, rest, options);
  const finish = (outcome: GatewayOutcome, isBodyComplete: boolean) => {
    if (!isBodyComplete || options.isDraining()) void reply.header('connection', 'close');
    send(reply, dialect === undefined ? toSharedAnswer(outcome, null) : dialect.toAnswer(outcome));
  };
  const hasBody = announcesBody(request.raw);
  if (!hasBody && !(made instanceof Promise)) {
    finish(made, true);
    return;
  }
  const bodyEnd = hasBody ? awaitBodyEnd(request.raw) : true;
  Promise.all([made, bodyEnd])
    .then(([outcome, isBodyComplete]) => finish(outcome, isBodyComplete))
    .catch(failed);
}

function unknownAddress({ noteRefusal }: GatewayDoorOptions): GatewayOutcome {
  noteRefusal('ADDRESS_UNKNOWN', null, null);
  return refusedOutcome('ADDRESS_UNKNOWN');
}

function ask(
  request: FastifyRequest,
  dialect: GatewayDialect,
  profile: string,
  rest: string,
  { check, headerBytesMax, noteRefusal }: GatewayDoorOptions,
): GatewayOutcome | Promise<GatewayOutcome> {
  if (countHeaderBytes(request.raw) > headerBytesMax) {
    noteRefusal('REQUEST_TOO_LARGE', dialect.id, null);
    return TOO_LARGE_OUTCOME;
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
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
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
