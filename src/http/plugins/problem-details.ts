import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
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
    app.setNotFoundHandler((request, reply) => {
      const allowed = allowedMethods(app, request);
      if (allowed.length === 0) return refuse(request, reply, { code: 'not_found' });
      void reply.header('allow', allowed.join(', '));
      return refuse(request, reply, { code: 'method_not_allowed' });
    });
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

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

function allowedMethods(app: FastifyInstance, request: FastifyRequest): HTTPMethods[] {
  const url = request.url.split('?', 1)[0] ?? '/';
  return METHODS.filter((method) => app.hasRoute({ method, url }));
}
