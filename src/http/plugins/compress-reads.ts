import { constants } from 'node:zlib';
import type { FastifyCompressRouteOptions } from '@fastify/compress';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RouteOptions,
} from 'fastify';

/** Smaller answers fit into a packet or two as they are. */
const BYTES_MIN = 1_024;
/** Up to here a stream and its thread cost more than compressing at once, which takes about 0.2 ms. */
const AT_ONCE_BYTES_MAX = 4_096;
/** What costs about as much as gzip and saves more. */
const BROTLI_QUALITY = 4;

// Missing, it is found by the start, which does not load it: 30 ms of CPU and 2 MB, of tables of media types
// above all.
import.meta.resolve('@fastify/compress');

const OPTIONS: Exclude<FastifyCompressRouteOptions['compress'], false | undefined> = {
  encodings: ['br', 'gzip'],
  threshold: BYTES_MIN,
  syncThreshold: AT_ONCE_BYTES_MAX,
  brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } },
};

/**
 * Compresses the answers to GET of routes registered after it in this scope, where the client takes that. Not
 * those that read the log at length: streams must not wait for a block to fill, and exports are files.
 *
 * No answer holds a secret, and browsers use a session for pages of the same origin alone: nobody elsewhere can
 * put guesses beside something worth guessing (BREACH).
 */
export async function compressReads(scope: FastifyInstance): Promise<void> {
  scope.addHook('onRoute', (route) => {
    const methods = [route.method].flat();
    const isRead = methods.includes('GET') || methods.includes('HEAD');
    if (!isRead || route.config?.readsLog === 'at length') return;
    if (methods.includes('GET')) route.onSend = [...[route.onSend ?? []].flat(), compressAnswer];
    route.onRequest = [varyByEncoding, ...[route.onRequest ?? []].flat()];
  });
}

/** A hook before an answer is sent, which calls back and returns nothing. */
type SendHook = (
  this: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error?: Error | null, payload?: unknown) => void,
) => void;

let loading: Promise<SendHook> | undefined;
let compress: SendHook | undefined;

/** What the plug-in does before an answer is sent; it is loaded by the first client that takes a coding. */
const compressAnswer: SendHook = function compressAnswer(request, reply, payload, done) {
  if (request.headers['accept-encoding'] === undefined) {
    done(null, payload);
    return;
  }
  if (compress !== undefined) {
    compress.call(this, request, reply, payload, done);
    return;
  }
  loading ??= loadCompress();
  loading.then(
    (loaded) => {
      compress = loaded;
      loaded.call(this, request, reply, payload, done);
    },
    (error: unknown) => {
      // The next client tries again: the process may have been out of files.
      loading = undefined;
      done(error instanceof Error ? error : new Error('compression could not be loaded'));
    },
  );
};

/** The hook that the plug-in gives to a route, from a server that has no other use. */
async function loadCompress(): Promise<SendHook> {
  const { default: plugin } = await import('@fastify/compress');
  const app = Fastify();
  await app.register(plugin, { global: false, ...OPTIONS });
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  app.get('/', { compress: OPTIONS, exposeHeadRoute: false }, () => '');
  await app.ready();
  // Which of the two kinds of hooks it is the library's types do not say.
  const [hook] = routes.flatMap(({ onSend }) => onSend ?? []) as SendHook[];
  if (hook === undefined) throw new TypeError('this version of @fastify/compress gives routes no such hook');
  return hook;
}

/** On every answer, a 304 and a small one too: what a cache holds depends on the field (RFC 9110, 12.5.5). */
function varyByEncoding(_request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  void reply.header('vary', 'accept-encoding');
  done();
}
