import type { Server as HttpServer } from 'node:http';
import type { Http2Server } from 'node:http2';
import { Server as NetServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long clients that come without a pause may keep a listener open. */
export const ACCEPT_MS = 1_000;

/** The rest of the turn that is under way looks at no listener any more. */
const QUIET_TURNS = 2;

/**
 * Closes the listener of `server` and leaves its connections alone. The system resets a connection that waits
 * to be accepted when its listener closes, and Node accepts one in a turn of the event loop: so all that wait
 * are accepted first, and what they ask is read after that. Where they come without a pause the listener
 * closes after `patienceMs`. Who comes later is refused, and can ask elsewhere.
 */
export async function stopAccepting(server: HttpServer | Http2Server, patienceMs: number): Promise<void> {
  const held: Socket[] = [];
  let quietTurns = 0;
  const note = () => {
    quietTurns = 0;
  };
  // Turns are long under load for what is asked. What a socket has read meanwhile waits in it.
  const hold = (socket: Socket) => {
    note();
    socket.on('error', ignore);
    held.push(socket);
  };
  const listeners = server.rawListeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', hold);
  server.on('drop', note);
  const untilMs = performance.now() + patienceMs;
  do {
    quietTurns += 1;
    await nextTurn();
  } while (quietTurns < QUIET_TURNS && performance.now() < untilMs);
  // Those of node:http and node:http2 would also end connections.
  NetServer.prototype.close.call(server);
  server.off('drop', note);
  server.off('connection', hold);
  for (const listener of listeners) server.on('connection', listener);
  for (const socket of held) {
    if (!socket.destroyed) server.emit('connection', socket);
    socket.off('error', ignore);
  }
}

/** Its owner, once it has one, learns that it has closed. */
function ignore(): void {}
