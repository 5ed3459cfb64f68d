import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { ACCEPT_MS, stopAccepting } from '../platform/stop-accepting.ts';

/** How long a connection that has become idle may hold up a shutdown. */
const IDLE_SWEEP_MS = 50;
/**
 * How long connections on which nothing is asked are left once no more are accepted: the first request of one
 * that has just been accepted, or the next one of a client, may be on its way.
 */
const IDLE_GRACE_MS = 250;
/** How often it is looked whether any are left. */
const GRACE_LOOK_MS = 10;
/**
 * How long what is in flight may hold up a shutdown, over HTTP and over gRPC. The decision log (2 s) and the
 * last lines (1 s) have their time after it, within what the process gives closing. Every decision is
 * answered by then, unless its deadline is longer; what is left is an export, or a client that never ends its
 * request.
 */
export const PATIENCE_MS = 3_500;

/**
 * Watches the connections of a server, so that it can be closed without waiting for clients that ask nothing.
 * The function ends it: what is in flight is answered first.
 */
export function prepareClose(server: FastifyInstance): () => Promise<void> {
  const connections = watchConnections(server.server);
  const endIdle = () => {
    server.server.closeIdleConnections();
    // To node:http a connection that was opened ahead of need is busy, and once closing begins it no longer
    // ends those that stay silent.
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
  };
  return async () => {
    const force = setTimeout(() => server.server.closeAllConnections(), PATIENCE_MS);
    if (server.server.listening) await stopAccepting(server.server, ACCEPT_MS);
    const graceEndsMs = performance.now() + IDLE_GRACE_MS;
    while (connections.size > 0 && performance.now() < graceEndsMs) await delay(GRACE_LOOK_MS);
    // The event loop has then just read what has arrived: what is unread would reset its connection.
    await nextTurn();
    endIdle();
    // One that answers a last request becomes idle later, and would hold the close until its keep-alive ends.
    const sweep = setInterval(() => setImmediate(endIdle), IDLE_SWEEP_MS);
    await server.close();
    clearInterval(sweep);
    clearTimeout(force);
  };
}

function watchConnections(server: Server): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  return connections;
}
