import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { createTestApp, startEmulators, until } from '../support/test-app.ts';

const emulators = await startEmulators(t);

/** A connection that has asked once, and is kept. */
async function keepOpen(t: Test, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
  await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  socket.resume();
  return socket;
}

t.test('keeps an idle connection as long as it is told, and asks for a request in ten seconds', async (t) => {
  for (const [env, seconds] of [
    [{}, 72],
    [{ KEEP_ALIVE_TIMEOUT_MS: '620000' }, 620],
  ] as const) {
    const app = await createTestApp(t, { emulators, env });
    const { server } = app.app.server;
    const sockets: Socket[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    const agent = new Agent({ keepAlive: true });
    t.teardown(() => agent.destroy());
    const asked = get({ port: await app.listen(), host: '127.0.0.1', path: '/livez', agent });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    t.equal(answer.headers['keep-alive'], `timeout=${seconds}`);
    await once(answer.resume(), 'end');
    const [socket] = sockets;
    await until('the connection is idle', () => (socket?.timeout ?? 0) >= seconds * 1000);
    t.equal(sockets.length, 1);
    t.ok(server.headersTimeout <= server.requestTimeout, 'or node:http refuses to have it');
    t.equal(server.requestTimeout, 10_000, 'however long a connection may be idle');
  }
});

t.test('closes idle connections when they run short, and lets others in', async (t) => {
  const app = await createTestApp(t, { emulators, env: { CONNECTIONS_MAX: '16' } });
  const port = await app.listen();
  const strangers: Socket[] = [];
  for (let n = 0; n < 14; n += 1) strangers.push(await keepOpen(t, port));
  t.equal(strangers.filter(({ destroyed }) => destroyed).length, 0, 'none is closed without need');
  const other = await keepOpen(t, port);
  await until('they are closed', () => strangers.every(({ destroyed }) => destroyed));
  t.notOk(other.destroyed);
});

t.test('refuses connections over the limit while all are at work', async (t) => {
  const app = await createTestApp(t, { emulators, env: { CONNECTIONS_MAX: '16' } });
  const port = await app.listen();
  const { server } = app.app.server;
  const busy = Array.from({ length: 16 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  t.teardown(() => busy.map((socket) => socket.destroy()));
  for (const socket of busy) socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n');
  await until(
    'all are there',
    () => new Promise((resolve) => server.getConnections((_, n) => resolve(n === 16))),
  );
  const late = await keepOpen(t, port);
  t.equal(late.bytesRead, 0);
  await until('it is refused', () => late.destroyed);
  t.match(
    app.logs.find(({ event }) => event === 'connections.refused'),
    { max: 16 },
  );
  for (const socket of busy) socket.destroy();
  await until('somebody is let in again', async () => !(await keepOpen(t, port)).destroyed);
});
