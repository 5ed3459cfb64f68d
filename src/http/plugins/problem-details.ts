import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { Logger } from 'pino';
import type { OperationObserver } from '../../application/operation-observer.ts';
import { type Refusal, retryAfterOf, toRefusal } from '../refusal.ts';
import { statusOf, toProblem } from '../schemas/problem.ts';

interface ProblemDetailsOptions {
  readonly logger: Logger;
  readonly observer: Pick<OperationObserver, 'onRefusal'>;
}

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

/** Answers with the problem document for `refusal`. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  const status = statusOf(refusal.code);
  if (status === 401) void reply.header('www-authenticate', 'Bearer realm="riskgate"');
  // What would have been read (RFC 9110, section 15.5.16).
  if (status === 415) void reply.headers({ accept: 'application/json', 'accept-encoding': 'identity' });
  const retryAfter = retryAfterOf(refusal);
  if (retryAfter !== null) void reply.header('retry-after', retryAfter);
  return reply
    .code(status)
    .headers({ 'cache-control': 'no-store', 'x-request-id': request.id })
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(toProblem(refusal.code, request.id, refusal));
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
