import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { portOf } from '../../support/test-app.ts';

export interface StubServer {
  readonly port: number;
  /** Every request whose head has come, the oldest first. */
  readonly seen: readonly IncomingMessage[];
  /** What comes next is answered so. */
  answerWith(answer: Answer): void;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** RFC 6455, section 1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Takes the offer (RFC 6455, section 4.2.2), and hangs up. */
export function acceptWebSocket({ headers }: IncomingMessage, socket: Writable): void {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
  const accept = hash('sha1', `${headers['sec-websocket-key']}${WEBSOCKET_GUID}`, 'base64');
  socket.end(`Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
}

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

/**
 * Starts a server on loopback that answers whatever it is told to, the wrong things too. It ends with the
 * test.
 */
export async function startStubServer(t: Teardown, first: Answer): Promise<StubServer> {
  const seen: IncomingMessage[] = [];
  let answer = first;
  const server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  server.on('upgrade', (request: IncomingMessage, socket) => {
    seen.push(request);
    socket.on('error', () => {});
    acceptWebSocket(request, socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: portOf(server.address()), seen, answerWith: (next) => (answer = next) };
}
