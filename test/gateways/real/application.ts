import { createHash, hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { portOf } from '../../support/test-app.ts';
import { acceptWebSocket } from './stub-server.ts';

/** What the application behind a gateway saw of one request. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  /** Names and values as they came, in turns. */
  readonly rawHeaders: readonly string[];
  readonly bodyBytes: number;
  readonly bodySha256: string;
}

/** The application that a gateway protects: it answers 200 with what it saw. */
export interface Application {
  readonly port: number;
  /** Every request that was let in so far. */
  readonly seen: readonly SeenRequest[];
}

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

/** Starts an application on loopback that ends with the test. */
export async function startApplication(t: Teardown): Promise<Application> {
  const seen: SeenRequest[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const digest = createHash('sha256');
    let bodyBytes = 0;
    try {
      for await (const chunk of request) {
        digest.update(chunk as Buffer);
        bodyBytes += (chunk as Buffer).length;
      }
    } catch {
      // The body was cut short, and nobody waits for an answer.
      response.destroy();
      return;
    }
    const { method = '', url = '', rawHeaders } = request;
    const one: SeenRequest = { method, url, rawHeaders, bodyBytes, bodySha256: digest.digest('hex') };
    seen.push(one);
    response.writeHead(200, { 'content-type': 'application/json', 'x-application': 'yes' });
    response.end(JSON.stringify(one));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.on('upgrade', (request: IncomingMessage, socket) => {
    const { method = '', url = '', rawHeaders } = request;
    seen.push({ method, url, rawHeaders, bodyBytes: 0, bodySha256: hash('sha256', '') });
    socket.on('error', () => {});
    acceptWebSocket(request, socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: portOf(server.address()), seen };
}

/**
 * All values of a header that an application server would take for `name`: CGI, WSGI and others make no
 * difference between a dash and any other sign.
 */
export function valuesOf({ rawHeaders }: SeenRequest, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  return rawHeaders.filter(
    (_, place) =>
      place % 2 === 1 && rawHeaders[place - 1]?.toLowerCase().replaceAll(/[^a-z0-9]/g, '-') === wanted,
  );
}
