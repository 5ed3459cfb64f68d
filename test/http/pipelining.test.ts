import { once } from 'node:events';
import { Agent, type IncomingMessage, get as send } from 'node:http';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { sendBytes } from '../support/raw-http.ts';
import { parseScrape, readValue } from '../support/scrape.ts';
import { createTestApp, startEmulators } from '../support/test-app.ts';

const emulators = await startEmulators(t);
const UNANSWERED_MAX = 16;
const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;

t.test('answers a few requests that are sent ahead, connection after connection', async (t) => {
  const port = await (await createTestApp(t, { emulators })).listen();
  for (let asked = 0; asked < 2; asked += 1) {
    const burst = get('/livez').repeat(UNANSWERED_MAX - 1) + get('/livez', 'Connection: close\r\n');
    const { statuses } = await sendBytes(port, burst);
    t.strictSame(statuses, Array(UNANSWERED_MAX).fill(200));
  }
});

t.test('forgets requests that are answered', async (t) => {
  const app = await createTestApp(t, { emulators });
  const port = await app.listen();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  let connections = 0;
  app.app.server.server.on('connection', () => (connections += 1));
  for (let asked = 0; asked < 2 * UNANSWERED_MAX; asked += 1) {
    const request = send({ port, host: '127.0.0.1', path: '/livez', agent });
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    await text(answer);
  }
  t.equal(connections, 1);
});

for (const [what, request] of [
  ['a route', get('/livez')],
  ['a URL that no route can have', get('/%')],
  ['an expectation', get('/livez', 'Expect: x\r\n')],
] as const) {
  t.test(`ends a connection with too many unanswered requests for ${what}`, async (t) => {
    const app = await createTestApp(t, { emulators });
    const port = await app.listen();
    const { statuses } = await sendBytes(port, request.repeat(500), null);
    t.ok(statuses.length <= UNANSWERED_MAX, `${statuses.length} answers`);
    const scraped = await app.ask('GET', '/metrics', { key: null });
    const handled =
      readValue(parseScrape(scraped.text), 'riskgate_refusals_total', { code: 'invalid_request' }) ?? 0;
    t.ok(handled <= UNANSWERED_MAX, `${handled} handled`);
    t.match(
      app.logs.find(({ event }) => event === 'connections.pipelining'),
      { unanswered_max: UNANSWERED_MAX },
    );
  });
}
