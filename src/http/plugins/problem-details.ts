import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { Logger } from 'pino';
import type { OperationObserver } from '../../application/operation-observer.ts';
import { type ErrorCode, type FieldError, RiskgateError } from '../../domain/errors.ts';
import { TWO_WAYS_TO_NAME_A_DEVICE } from '../schemas/decide.ts';
import { statusOf, toProblem } from '../schemas/problem.ts';

interface ProblemDetailsOptions {
  readonly logger: Logger;
  readonly observer: Pick<OperationObserver, 'onRefusal'>;
}

/** Seconds after which to retry a refusal. */
const RETRY_AFTER_SECONDS = 1;

/** Turns every error into application/problem+json (RFC 9457), and logs what is our fault once. */
export const problemDetails = plugin<ProblemDetailsOptions>(
  async (app, { logger, observer }) => {
    const refuse = (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply => {
      observer.onRefusal({ code: refusal.code });
      return sendProblem(request, reply, refusal);
    };
    app.setErrorHandler((error: FastifyError, request, reply) => {
      const refusal = toRefusal(error);
      if (refusal.code === 'internal') {
        logger.error({ event: 'request.failed', request_id: request.id, err: error }, 'a request failed');
      }
      return refuse(request, reply, refusal);
    });
    const methodsOf = collectMethods(app);
    const refuseUnknown = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
      const path = request.url.split('?', 1)[0] ?? '/';
      const allowed = methodsOf(path);
      if (allowed === null) return refuse(request, reply, { code: 'not_found', detail: whereElse(path) });
      const list = allowed.join(', ');
      void reply.header('allow', list);
      return refuse(request, reply, { code: 'method_not_allowed', detail: `This address takes ${list}.` });
    };
    const whereElse = (path: string): string => {
      const bare = path.replace(/\/+$/, '');
      return bare !== path && methodsOf(bare) !== null
        ? 'Leave out the slash at the end.'
        : 'GET /openapi.json describes every address, and /docs shows it.';
    };
    // Before a body is read, and a mistake in it found that is beside the point.
    app.addHook('onRequest', (request, reply, done) => {
      if (request.is404) refuseUnknown(request, reply);
      else done();
    });
    app.setNotFoundHandler(refuseUnknown);
  },
  { name: 'problem-details' },
);

interface Refusal {
  readonly code: ErrorCode;
  readonly detail?: string | null;
  readonly fields?: readonly FieldError[];
  readonly retryAfterSeconds?: number | null;
}

/** Answers with the problem document for `refusal`. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  const status = statusOf(refusal.code);
  if (status === 401) void reply.header('www-authenticate', 'Bearer realm="riskgate"');
  // What would have been read (RFC 9110, section 15.5.16).
  if (status === 415) void reply.headers({ accept: 'application/json', 'accept-encoding': 'identity' });
  const retryAfter = refusal.retryAfterSeconds ?? (status === 503 ? RETRY_AFTER_SECONDS : null);
  if (retryAfter !== null) void reply.header('retry-after', retryAfter);
  return reply
    .code(status)
    .headers({ 'cache-control': 'no-store', 'x-request-id': request.id })
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(toProblem(refusal.code, request.id, refusal));
}

function toRefusal(error: FastifyError): Refusal {
  if (error instanceof RiskgateError) {
    const { code, publicDetail: detail, fields, retryAfterSeconds } = error;
    return { code, detail, fields, retryAfterSeconds };
  }
  if (error.validation) return { code: 'invalid_request', fields: toFieldErrors(error) };
  switch (error.statusCode) {
    case 400:
      if (error.code === 'FST_ERR_BAD_URL') return { code: 'invalid_request' };
      return {
        code: 'malformed_body',
        detail: error.code === 'FST_ERR_CTP_EMPTY_JSON_BODY' ? 'The body is empty.' : null,
      };
    case 413:
      return { code: 'payload_too_large' };
    case 415:
      return { code: 'unsupported_media_type', detail: 'Send JSON, with `Content-Type: application/json`.' };
    default:
      return { code: 'internal' };
  }
}

/** The longest part of an unknown field's name that is repeated to the caller. */
const NAME_LENGTH_MAX = 64;
/**
 * A body can hold thousands of mistakes; so many are enough to mend it, and no answer grows beyond its
 * question.
 */
const FIELD_ERRORS_MAX = 32;

function toFieldErrors({ validation, validationContext }: FastifyError): FieldError[] {
  const isBody = validationContext === 'body';
  return (validation ?? []).slice(0, FIELD_ERRORS_MAX).map(({ instancePath, keyword, params, message }) => {
    if (keyword === 'not') return TWO_WAYS_TO_NAME_A_DEVICE;
    const name = params['additionalProperty'] ?? params['missingProperty'];
    const last = typeof name === 'string' ? `/${escapePointer(name.slice(0, NAME_LENGTH_MAX))}` : '';
    const pointer = `${instancePath}${last}`;
    const detail =
      keyword === 'additionalProperties' ? 'is not a field of this request' : (message ?? 'is not valid');
    return { pointer: isBody ? pointer : pointer.slice(1), detail };
  });
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/**
 * Finds the methods of a path among the routes that are registered from now on; null for a path of none. Not
 * `hasRoute`, which reads a path as a pattern, and throws on `/*a`.
 */
function collectMethods(app: FastifyInstance): (path: string) => readonly string[] | null {
  const methods = new Map<string, Set<string>>();
  const patterns = new Map<string, RegExp>();
  app.addHook('onRoute', ({ url, method }) => {
    // What an asterisk matches is served with any method, or not found.
    if (url.includes('*')) return;
    if (url.includes(':')) patterns.set(url, new RegExp(`^${url.replaceAll(/:\w+/g, '[^/]+')}$`));
    const known = methods.get(url) ?? new Set();
    for (const name of [method].flat()) known.add(name);
    methods.set(url, known);
  });
  return (path) => {
    const url = methods.has(path) ? path : [...patterns].find(([, pattern]) => pattern.test(path))?.[0];
    const known = url === undefined ? undefined : methods.get(url);
    return known === undefined ? null : [...known];
  };
}
