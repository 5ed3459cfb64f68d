import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { createHttpClient } from '../../src/platform/http-client.ts';

const GET = { method: 'GET', path: '/', headers: {} } as const;
const AMPLE_MS = 20_000;
const SHORT_MS = 50;

async function serve(t: Test): Promise<{ server: Server; sockets: Socket[]; baseUrl: string }> {
  const sockets: Socket[] = [];
  const server = createServer((_request, response) => response.end('answer'));
  server.on('connection', (socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { server, sockets, baseUrl: `http://127.0.0.1:${port}` };
}

/** Resolves once a socket is closed, at once where it is. */
async function closeOf(socket: Socket | undefined): Promise<void> {
  if (socket?.closed === false) await once(socket.resume(), 'close');
}

t.test('sends the first exchange over the connection that was opened ahead', async (t) => {
  const { sockets, baseUrl } = await serve(t);
  const client = createHttpClient({ baseUrl });
  t.teardown(() => client.close());
  t.equal(await client.connectAhead(AMPLE_MS), true);
  t.equal(sockets[0]?.bytesRead, 0, 'nothing is sent');
  t.match(await client.exchange(GET, AMPLE_MS), { kind: 'response', response: { body: 'answer' } });
  t.equal(sockets.length, 1);
});

t.test('opens another connection where its peer has ended the one that waited', async (t) => {
  const { sockets, baseUrl } = await serve(t);
  const client = createHttpClient({ baseUrl });
  t.teardown(() => client.close());
  await client.connectAhead(AMPLE_MS);
  sockets[0]?.end();
  await closeOf(sockets[0]);
  t.match(await client.exchange(GET, AMPLE_MS), { kind: 'response', response: { status: 200 } });
  t.equal(sockets.length, 2);
});

t.test('takes no connection on which a peer has spoken unasked', async (t) => {
  const { sockets, baseUrl } = await serve(t);
  const client = createHttpClient({ baseUrl });
  t.teardown(() => client.close());
  await client.connectAhead(AMPLE_MS);
  sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother');
  await closeOf(sockets[0]);
  t.match(await client.exchange(GET, AMPLE_MS), { kind: 'response', response: { body: 'answer' } });
});

t.test('ends a connection that nobody takes', async (t) => {
  const { sockets, baseUrl } = await serve(t);
  const client = createHttpClient({ baseUrl, keepAliveMs: SHORT_MS });
  t.teardown(() => client.close());
  t.equal(await client.connectAhead(AMPLE_MS), true);
  await closeOf(sockets[0]);
  t.match(await client.exchange(GET, AMPLE_MS), { kind: 'response' });
});

t.test('gives up by its budget where a peer takes connections and says nothing of TLS', async (t) => {
  const server = createTcpServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const client = createHttpClient({ baseUrl: `https://127.0.0.1:${port}` });
  t.equal(await client.connectAhead(SHORT_MS), false);
  await client.close();
});

t.test('is false where nothing listens, and after the client was closed', async (t) => {
  const { server, baseUrl } = await serve(t);
  const client = createHttpClient({ baseUrl });
  const late = client.connectAhead(AMPLE_MS);
  await client.close();
  t.equal(await late, false);
  server.close();
  await once(server, 'close');
  const another = createHttpClient({ baseUrl });
  t.teardown(() => another.close());
  t.equal(await another.connectAhead(AMPLE_MS), false);
});

t.test('leaves no connection behind when the client is closed', async (t) => {
  const { sockets, baseUrl } = await serve(t);
  const client = createHttpClient({ baseUrl });
  await client.connectAhead(AMPLE_MS);
  await client.close();
  await closeOf(sockets[0]);
});
