import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { Pool } from 'undici';
import { requestOf } from '../support/raw-http.ts';
import { createTestApp } from '../support/test-app.ts';

/** More than Node accepts while it begins to close. */
const WAITING = 50;

t.test('answers every client whose connection waits to be accepted when it closes', async (t) => {
  const { app, close, listen } = await createTestApp(t);
  const port = await listen();
  app.drain();
  const heads = Array.from({ length: WAITING }, () => firstLine(t, port));
  // Node opens them at the end of this tick.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  await close();
  const expected = Array.from({ length: WAITING }, () => 'HTTP/1.1 200 OK');
  t.same(await Promise.all(heads), expected);
});

t.test('closes while clients come without a pause', async (t) => {
  const { close, listen } = await createTestApp(t);
  const port = await listen();
  let isOver = false;
  const come = async () => {
    while (!isOver) await firstLine(t, port);
  };
  const coming = Promise.all(Array.from({ length: WAITING }, come));
  await close();
  isOver = true;
  t.ok(await coming);
});

t.test('ends a connection that was reset while it waited, and nothing else', async (t) => {
  const { close, listen } = await createTestApp(t);
  const port = await listen();
  const gone = connect(port, '127.0.0.1');
  const head = firstLine(t, port);
  await once(gone, 'connect');
  gone.resetAndDestroy();
  await close();
  t.equal(await head, 'HTTP/1.1 200 OK');
});

t.test('answers what comes on idle connections just then, and ends them with the answer', async (t) => {
  const { app, close, listen } = await createTestApp(t);
  const port = await listen();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1 });
  t.teardown(() => agent.destroy());
  t.teardown(() => pool.destroy());
  const byAgent = async () => {
    const { statusCode, headers } = await answerOf(get({ agent, port, host: '127.0.0.1', path: '/livez' }));
    return { statusCode, connection: headers.connection };
  };
  const byPool = async () => {
    const { statusCode, headers, body } = await pool.request({ method: 'GET', path: '/livez' });
    await body.dump();
    return { statusCode, connection: headers['connection'] };
  };
  const kept = { statusCode: 200, connection: 'keep-alive' };
  t.same([await byAgent(), await byPool()], [kept, kept]);
  app.drain();
  const closing = close();
  const last = { statusCode: 200, connection: 'close' };
  t.same(await Promise.all([byAgent(), byPool()]), [last, last]);
  await closing;
});

/** Of the answer to a request on a connection of its own; what went wrong where there is none. */
async function firstLine(t: Test, port: number): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(requestOf(['GET /livez HTTP/1.1', 'Host: riskgate', 'Connection: close']));
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
  socket.on('close', () => resolve('closed'));
  socket.once('data', (head: Buffer) => resolve(String(head)));
  const [line] = (await promise).split('\r\n');
  return line;
}

async function answerOf(request: ReturnType<typeof get>): Promise<IncomingMessage> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response;
}
