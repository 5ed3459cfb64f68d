import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { Logger } from 'pino';
import type { OperationObserver } from '../../application/operation-observer.ts';
import { type ErrorCode, type FieldError, RiskgateError } from '../../domain/errors.ts';
import { TWO_WAYS_TO_NAME_A_DEVICE } from '../schemas/decide.ts';
import { statusOf, toProblem } from '../schemas/problem.ts';

export interface ProblemDetailsOptions {
  readonly logger: Logger;
  readonly observer: Pick<OperationObserver, 'onRefusal'>;
}

/** Seconds after which a refusal of ours is worth another try. */
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
    const methods = collectMethods(app);
    const refuseUnknown = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
      const allowed = methods.get(request.url.split('?', 1)[0] ?? '/');
      if (allowed === undefined) return refuse(request, reply, { code: 'not_found' });
      void reply.header('allow', [...allowed].join(', '));
      return refuse(request, reply, { code: 'method_not_allowed' });
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
      return { code: error.code === 'FST_ERR_BAD_URL' ? 'invalid_request' : 'malformed_body' };
    case 413:
      return { code: 'payload_too_large' };
    case 415:
      return { code: 'unsupported_media_type' };
    default:
      return { code: 'internal' };
  }
}

/** The longest part of an unknown field's name that is repeated to the caller. */
const NAME_LENGTH_MAX = 64;
/** A body can hold thousands of mistakes; so many are enough to mend it, and no answer grows beyond its question. */
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

/** The methods of each path that is registered from now on. Not `hasRoute`, which reads a path as a pattern, and throws on `/*a`. */
function collectMethods(app: FastifyInstance): ReadonlyMap<string, ReadonlySet<string>> {
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    // A pattern is no path; what it matches is served or not found.
    if (/[*:]/.test(url)) return;
    const known = methods.get(url) ?? new Set();
    for (const name of [method].flat()) known.add(name);
    methods.set(url, known);
  });
  return methods;
}
