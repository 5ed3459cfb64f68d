import { once } from 'node:events';
import { connect, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { requestOf } from '../support/raw-http.ts';
import {
  askForDecision,
  createServiceEnvironment,
  patienceOf,
  SERVICE_KEY,
  startService,
} from '../support/start-service.ts';
import { createTestApp, portOf, startEmulators, until } from '../support/test-app.ts';

const emulators = await startEmulators(t);
const upstream = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;
const { origin } = await startService(t, { ...createServiceEnvironment(t, upstream), ...patienceOf(5_000) });
const port = Number(new URL(origin).port);

const HEAD = [
  'POST /v1/decide HTTP/1.1',
  'Host: localhost',
  `Authorization: Bearer ${SERVICE_KEY}`,
  'Content-Type: application/json',
];
/** A service that ends nobody is found out after so long; the timeout is 10 s. */
const PATIENCE_MS = 28_000;
/** Far more than the buffers of two sockets hold. */
const ANSWERS = 1_000;
const DRIBBLE_MS = 500;
const IDLE_CONNECTIONS = 1_000;

interface Client {
  readonly socket: Socket;
  readonly text: () => string;
  /**
   * Resolves with the milliseconds from connecting to the end; rejects when the service has more patience
   * than it may.
   */
  readonly ended: Promise<number>;
}

async function open(t: Test, at: number = port): Promise<Client> {
  const socket = connect(at, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += String(chunk)));
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  const startedAtMs = performance.now();
  const ended = Promise.race([
    once(socket, 'close').then(() => performance.now() - startedAtMs),
    delay(PATIENCE_MS, null, { ref: false }).then(() => Promise.reject(new Error('still open'))),
  ]);
  ended.catch(() => {});
  return { socket, text: () => text, ended };
}

/** Sends `first`, and then one more piece twice a second for as long as the service listens. */
async function dribble(t: Test, first: string, piece: string): Promise<Client> {
  const client = await open(t);
  client.socket.write(first);
  const timer = setInterval(() => client.socket.write(piece), DRIBBLE_MS);
  client.socket.once('close', () => clearInterval(timer));
  return client;
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
}

/** What others meet meanwhile. */
async function assertServes(t: Test, when: string): Promise<void> {
  t.equal((await fetch(`${origin}/livez`)).status, 200, `lives, ${when}`);
  t.equal((await fetch(`${origin}/readyz`)).status, 200, `is ready, ${when}`);
  const answer = await askForDecision(origin, { telemetry_id: 'allow', device_id: 'active' });
  t.match(await answer.json(), { decision: 'ALLOW' }, `decides, ${when}`);
}

t.jobs = 8;

t.test('ends who never finishes the head of a request', async (t) => {
  const { ended, text } = await dribble(t, `${HEAD.join('\r\n')}\r\n`, 'X-A: b\r\n');
  t.ok((await ended) >= 9_000, 'no earlier than it says');
  t.match(text(), /^HTTP\/1\.1 408 /);
  t.match(text(), /"code":"invalid_request"/);
});

t.test('ends who never finishes a body', async (t) => {
  const { ended, text } = await dribble(t, requestOf([...HEAD, 'Content-Length: 10000'], '{'), ' ');
  t.ok((await ended) >= 9_000, 'no earlier than it says');
  t.match(text(), /^HTTP\/1\.1 408 /);
});

t.test('ends who never finishes a body of chunks', async (t) => {
  const { ended, text } = await dribble(
    t,
    requestOf([...HEAD, 'Transfer-Encoding: chunked'], '1\r\n{\r\n'),
    '1\r\n \r\n',
  );
  await ended;
  t.match(text(), /^HTTP\/1\.1 408 /);
});

t.test('ends who never finishes the second request of a connection', async (t) => {
  const { ended, text } = await dribble(
    t,
    `${requestOf(['GET /livez HTTP/1.1', 'Host: x'])}GET /livez HTTP/1.1\r\n`,
    'X-A: b\r\n',
  );
  await ended;
  t.match(text(), /^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 408 /);
});

t.test('ends who asks for much and reads nothing', async (t) => {
  const app = await createTestApp(t, { emulators });
  const { server } = app.app.server;
  t.equal(server.timeout, 15_000);
  // Twice this long passes before it shows, since the first half of an answer still moves.
  server.timeout = 500;
  const { socket, ended, text } = await open(t, await app.listen());
  socket.pause();
  socket.write(requestOf(['GET /openapi.json HTTP/1.1', 'Host: x']).repeat(ANSWERS));
  await until('the server ends the connection', async () => (await connectionsOf(server)) === 0);
  socket.resume();
  await ended;
  const answers = text().match(/HTTP\/1\.1 200 /g)?.length ?? 0;
  t.ok(answers > 0 && answers < ANSWERS, `${answers} answers of ${ANSWERS} have been sent`);
});

t.test('ends who connects and says nothing, and serves others meanwhile', async (t) => {
  const clients = await Promise.all(Array.from({ length: IDLE_CONNECTIONS }, () => open(t)));
  await assertServes(t, `with ${IDLE_CONNECTIONS} connections that say nothing`);
  await delay(5_000);
  await assertServes(t, 'five seconds later');
  const durations = await Promise.all(clients.map(({ ended }) => ended));
  t.equal(durations.length, IDLE_CONNECTIONS);
  t.ok(clients.every(({ text }) => !text().includes(' 200 ')));
  await assertServes(t, 'after them');
});
