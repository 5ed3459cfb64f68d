import { constants } from 'node:zlib';
import compress, { type FastifyCompressRouteOptions } from '@fastify/compress';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Smaller answers fit into a packet or two as they are. */
const BYTES_MIN = 1_024;
/** Up to here a stream and its thread cost more than compressing at once, which takes about 0.2 ms. */
const AT_ONCE_BYTES_MAX = 4_096;
/** What costs about as much as gzip and saves more. */
const BROTLI_QUALITY = 4;

/** The plug-in takes what a route says in place of all that it was registered with. */
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
  // Before the plug-in's own hook, which reads what is set here.
  scope.addHook('onRoute', (route) => {
    const methods = [route.method].flat();
    const isRead = methods.includes('GET') || methods.includes('HEAD');
    if (!isRead || route.config?.readsLog === 'at length') return;
    if (methods.includes('GET')) route.compress = OPTIONS;
    route.onRequest = [varyByEncoding, ...[route.onRequest ?? []].flat()];
  });
  await scope.register(compress, { global: false, ...OPTIONS });
}

/** On every answer, a 304 and a small one too: what a cache holds depends on the field (RFC 9110, 12.5.5). */
function varyByEncoding(_request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  void reply.header('vary', 'accept-encoding');
  done();
}
