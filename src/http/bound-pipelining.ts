import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { createThrottle } from '../platform/throttle.ts';

/**
 * Requests of one connection that may wait for their answers. Gateways wait for each answer, and clients that
 * do not send a few ahead.
 */
const UNANSWERED_MAX = 16;
/** Ended connections are logged at most once in this time. */
const LINE_INTERVAL_MS = 10_000;

/**
 * Ends a connection with more unanswered requests than that, before anything is done for them. node:http
 * hands over every request of one read (64 KiB, thousands of requests) before it pauses, and keeps the
 * answers. Call it when the server has its request listener.
 */
export function boundPipelining(server: Server, logger: Logger): void {
  const throttle = createThrottle(LINE_INTERVAL_MS, () => performance.now());
  const unanswered = new WeakMap<Socket, number>();
  const listeners = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const count = unanswered.get(socket) ?? 0;
    if (count >= UNANSWERED_MAX) {
      socket.destroy();
      if (throttle.note('ended') > 0)
        logger.warn({ event: 'connections.pipelining', unanswered_max: UNANSWERED_MAX });
      return;
    }
    unanswered.set(socket, count + 1);
    response.once('close', () => unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1));
    for (const listener of listeners) Reflect.apply(listener, server, [request, response]);
  });
}
