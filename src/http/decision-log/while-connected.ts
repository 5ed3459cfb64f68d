import type { FastifyReply } from 'fastify';

/** Says whether the client of an answer that has not ended is still there. */
export function whileConnected({ raw }: FastifyReply): () => boolean {
  return () => !raw.closed && !raw.destroyed;
}
