import type { FastifyInstance } from 'fastify';

/** How long a connection that has become idle may hold up a shutdown. */
const IDLE_SWEEP_MS = 50;

/** Fastify closes the connections that are idle now; one that answers a last request becomes idle later, and would hold the close until its keep-alive ends. */
export async function closeServer(server: FastifyInstance): Promise<void> {
  const sweep = setInterval(() => server.server.closeIdleConnections(), IDLE_SWEEP_MS);
  await server.close();
  clearInterval(sweep);
}
