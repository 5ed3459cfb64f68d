/**
 * What the shared matrix cannot see of the Worker: its question as it is on the wire, answers that riskgate
 * never gives, and what the origin is sent.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Test } from 'tap';
import { until } from '../../support/test-app.ts';
import { browse, type ClientAnswer, sendText } from './browse.ts';
import type { Answer, StubServer } from './stub-server.ts';
import { EDGE_ADDRESS } from './workerd.ts';

/** A Worker between a stub in riskgate's place and one in the origin's. */
export interface WorkerOnWire {
  readonly port: number;
  /** Without the edge in front. */
  readonly barePort: number;
  readonly key: string;
  readonly riskgate: StubServer;
  readonly origin: StubServer;
}

const RISK = { 'x-risk-decision': 'ALLOW', 'x-risk-decision-id': 'none', 'x-risk-reasons': 'none' };
export const allow: Answer = (_, response) => respond(response, 200, RISK);
export const greet: Answer = (request, response) => {
  request.resume().on('end', () => respond(response, 200, { 'content-type': 'text/plain' }, 'hello'));
};

function respond(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | string[]> = {},
  body?: string | Buffer,
): void {
  response.writeHead(status, headers).end(body);
}

export async function runWorkerWire(t: Test, worker: WorkerOnWire): Promise<void> {
  await testQuestion(t, worker);
  await testWrongAnswers(t, worker);
  await testOrigin(t, worker);
  await testOneReading(t, worker);
  await testMethods(t, worker);
  await testStreams(t, worker);
}

async function testQuestion(t: Test, { port, barePort, key, riskgate }: WorkerOnWire): Promise<void> {
  await t.test("the question carries the client's headers, and what the Worker alone may say", async (t) => {
    const headers = {
      'CF-Connecting-IP': '198.51.100.1',
      'X-Real-IP': '198.51.100.2',
      Cookie: 'a=b; c=d',
      'X-Riskgate-Key': 'wrong',
      X_Riskgate_Key: 'wrong',
      'X-Original-URI': '/x',
      'X-HTTP-Method': 'PUT',
      'X-Method-Override': 'PUT',
      'X-Rewrite-URL': '/x',
      Expect: '100-continue',
      Connection: 'X-Riskgate-Key, X-Original-URI, close',
      'X-Custom': 'kept',
      'x-custom': 'twice',
      'Content-Type': 'application/json',
      'Content-Encoding': 'identity',
    };
    await browse(port, {
      method: 'POST',
      path: '/shop/a?b=c',
      headers: Object.entries(headers).flat(),
      body: '{"item": 1}',
    });
    const question = riskgate.seen.at(-1);
    t.same([question?.method, question?.url], ['GET', '/v1/gateway/nginx/default']);
    const { headersDistinct = {} } = question ?? {};
    t.match(headersDistinct, {
      host: ['riskgate'],
      'x-riskgate-key': [key],
      'x-original-method': ['POST'],
      'x-original-uri': ['/shop/a?b=c'],
      'x-real-ip': [EDGE_ADDRESS],
      cookie: ['a=b; c=d'],
      'x-http-method': ['PUT'],
      'x-method-override': ['PUT'],
      'x-rewrite-url': ['/x'],
      'x-custom': ['kept', 'twice'],
      // What the runtime makes of `cache: 'no-store'`.
      'cache-control': ['no-cache'],
    });
    for (const name of ['content-length', 'transfer-encoding', 'content-type', 'content-encoding', 'expect'])
      t.notOk(headersDistinct[name], `${name} speaks of a body that is not sent`);
    t.notOk(headersDistinct['x_riskgate_key'], 'another spelling of the key');
  });

  await t.test('no address is better than one that only the client has said', async (t) => {
    await browse(barePort, { headers: ['X-Real-IP', '198.51.100.2', 'X-Original-Method', 'OPTIONS'] });
    const { headersDistinct = {} } = riskgate.seen.at(-1) ?? {};
    t.same([headersDistinct['x-real-ip'], headersDistinct['x-original-method']], [undefined, ['GET']]);
  });
}

async function testWrongAnswers(t: Test, { port, riskgate, origin }: WorkerOnWire): Promise<void> {
  const { 'x-risk-reasons': _, ...noReasons } = RISK;
  const answers: Readonly<Record<string, Answer>> = {
    'a 200 of somebody else': (_, response) => respond(response, 200),
    'a 200 without reasons': (_, response) => respond(response, 200, noReasons),
    'a 200 with an empty decision': (_, response) =>
      respond(response, 200, { ...RISK, 'x-risk-decision': '' }),
    'a 201': (_, response) => respond(response, 201, RISK),
    'a 204': (_, response) => respond(response, 204, RISK),
    'a 206': (_, response) => respond(response, 206, RISK),
    'a 304': (_, response) => respond(response, 304, RISK),
    'a redirect to a 200': ({ url }, response) =>
      url === '/ok' ? respond(response, 200, RISK) : respond(response, 302, { ...RISK, location: '/ok' }),
    'a 404': (_, response) => respond(response, 404, RISK),
    'a 500': (_, response) => respond(response, 500, RISK),
    'a connection that is cut': ({ socket }) => socket.destroy(),
    'something that is not HTTP': ({ socket }) => socket.end('SSH-2.0\r\n'),
    'a 200 that is cut short': (_, response) => {
      response.writeHead(200, { ...RISK, 'content-length': '10' }).write('{');
      setTimeout(() => response.destroy(), 100);
    },
    'a 200 that never ends': (_, response) => void response.writeHead(200, RISK).write('{'),
  };
  for (const [what, answer] of Object.entries(answers))
    await t.test(`${what} lets nobody in`, async (t) => {
      const before = origin.seen.length;
      riskgate.answerWith(answer);
      const { status, headers, text } = await browse(port);
      riskgate.answerWith(allow);
      t.equal(origin.seen.length, before);
      t.match(
        [status, headers['x-risk-decision'], headers['cache-control']],
        [503, 'UNAVAILABLE', 'no-store'],
      );
      t.equal(text, '{"decision":"UNAVAILABLE","decision_id":null}');
    });

  await t.test('who is refused sees nothing but what he may', async (t) => {
    const inner = { 'x-internal': 'yes', 'set-cookie': 'a=b', server: 'riskgate', 'content-type': 'text/x' };
    riskgate.answerWith((_, response) => respond(response, 403, { ...RISK, ...inner }, 'no'));
    const { status, headers, text } = await browse(port);
    riskgate.answerWith(allow);
    t.same(
      [status, text, headers['content-type'], headers['x-risk-decision']],
      [403, 'no', 'text/x', 'ALLOW'],
    );
    for (const name of ['x-internal', 'set-cookie', 'server', 'x-risk-reasons']) t.notOk(headers[name], name);
  });
}

async function testOrigin(t: Test, { port, origin }: WorkerOnWire): Promise<void> {
  const askOrigin = (answer: Answer, request = {}): Promise<ClientAnswer> => {
    origin.answerWith(answer);
    return browse(port, request).finally(() => origin.answerWith(greet));
  };

  await t.test("the origin's answers come as they are", async (t) => {
    const before = origin.seen.length;
    const moved = await askOrigin((_, response) => respond(response, 307, { location: '/elsewhere' }));
    t.match([moved.status, moved.headers.location], [307, '/elsewhere'], 'a redirect is not followed');
    t.equal(origin.seen.length, before + 1);
    const cookies = await askOrigin((_, response) =>
      respond(response, 200, { 'set-cookie': ['a=b', 'c=d'] }),
    );
    t.strictSame(cookies.headers['set-cookie'], ['a=b', 'c=d']);
    t.equal((await askOrigin((_, response) => respond(response, 304))).status, 304);
    t.equal((await askOrigin((_, response) => respond(response, 404, {}, 'none'))).text, 'none');
    const zipped = await askOrigin(
      (_, response) => respond(response, 200, { 'content-encoding': 'gzip' }, gzipSync('hello')),
      { headers: ['Accept-Encoding', 'gzip'] },
    );
    t.equal(zipped.headers['content-encoding'], 'gzip');
    await t.rejects(
      askOrigin(({ socket }) => socket.destroy()),
      { code: 'ECONNRESET' },
      'a hang-up too',
    );
  });

  await t.test('a client cannot have our headers dropped on the way', async (t) => {
    await browse(port, { headers: ['Connection', 'close, X-Risk-Decision, X-Risk-Reasons'] });
    const { headersDistinct = {} } = origin.seen.at(-1) ?? {};
    t.match(headersDistinct, { 'x-risk-decision': ['ALLOW'], 'x-risk-reasons': ['none'] });
    t.notMatch(headersDistinct['connection']?.join() ?? '', /risk/i);
  });

  await t.test('no other spelling of our headers passes', async (t) => {
    await browse(port, { headers: ['X.Risk.Decision', 'spoofed', 'X_Risk.Reasons', 'spoofed'] });
    t.notMatch(origin.seen.at(-1)?.rawHeaders.join('\n'), /spoofed/);
  });
}

async function testOneReading(t: Test, { port, riskgate, origin }: WorkerOnWire): Promise<void> {
  const CASES = [
    ['/shop/../account/x', 'shop.example', '/shop/../account/x', '/account/x', 'web'],
    ['/catalogue/%2e%2e/api/x', 'shop.example', '/catalogue/%2e%2e/api/x', '/api/x', 'api'],
    ['/catalogue\\..\\api\\x', 'shop.example', '/catalogue\\..\\api\\x', '/api/x', 'api'],
    ['/catalogue/..%2fapi', 'shop.example', '/catalogue/..%2fapi', '/catalogue/..%2fapi', 'default'],
    ['//other.example/x', 'shop.example', '//other.example/x', '//other.example/x', 'default'],
    ['http://other.example/api/x', 'shop.example', '/api/x', '/api/x', 'api'],
    ['/catalogue/x', 'shop.example/account/x?', '/account/x?/catalogue/x', '/account/x?/catalogue/x', 'web'],
    ['/catalogue/x', 'shop.example?', '/?/catalogue/x', '/?/catalogue/x', 'default'],
    ['/catalogue/x', 'shop.example#', '/', '/', 'default'],
    ['/catalogue/x', 'SHOP.example:80', '/catalogue/x', '/catalogue/x', 'catalogue'],
  ] as const;
  await t.test('riskgate is asked about what the origin is sent', async (t) => {
    for (const [target, host, told, sent, profile] of CASES) {
      const before = origin.seen.length;
      const status = await sendText(port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      const what = `${target} at ${host}: ${status}`;
      if (status >= 400) {
        t.equal(origin.seen.length, before, what);
        continue;
      }
      const question = riskgate.seen.at(-1);
      t.equal(question?.headers['x-original-uri'], told, what);
      t.equal(question?.url, `/v1/gateway/nginx/${profile}`, what);
      t.equal(origin.seen.at(-1)?.url, sent, what);
    }
  });
}

async function testMethods(t: Test, { port, riskgate, origin }: WorkerOnWire): Promise<void> {
  const block: Answer = (_, response) => respond(response, 403, RISK, '{}');
  await t.test('no method goes past riskgate', async (t) => {
    riskgate.answerWith(block);
    for (const method of ['GET', 'TRACE', 'PURGE', 'LOCK', 'CONNECT', 'FOO', 'get']) {
      const before = origin.seen.length;
      const target = method === 'CONNECT' ? 'shop.example:443' : '/shop';
      const status = await sendText(port, `${method} ${target} HTTP/1.1\r\nHost: shop.example\r\n\r\n`);
      t.ok(status >= 400, `${method}: ${status}`);
      t.equal(origin.seen.length, before, method);
    }
    riskgate.answerWith(allow);
  });

  await t.test('a GET with a body is one request', async (t) => {
    const [asked, sent] = [riskgate.seen.length, origin.seen.length];
    const body = 'GET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n';
    await sendText(
      port,
      `GET /shop HTTP/1.1\r\nHost: shop.example\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    t.equal((await browse(port)).status, 200, 'the next one');
    const targets = (seen: readonly IncomingMessage[]) => seen.map(({ url }) => url);
    t.notMatch(targets([...riskgate.seen.slice(asked), ...origin.seen.slice(sent)]).join(), /smuggled/);
  });

  await t.test('a WebSocket is opened after an ALLOW only', async (t) => {
    const upgrade =
      'GET /chat HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    riskgate.answerWith(block);
    const before = origin.seen.length;
    t.equal(await sendText(port, upgrade), 403);
    t.equal(origin.seen.length, before);
    riskgate.answerWith(allow);
    t.equal(await sendText(port, upgrade), 101);
    t.match(origin.seen.at(-1)?.headers, { upgrade: 'websocket', 'x-risk-decision': 'ALLOW' });
    t.notOk(riskgate.seen.at(-1)?.headers['upgrade']);
  });
}

async function testStreams(t: Test, { port, riskgate, origin }: WorkerOnWire): Promise<void> {
  await t.test('a body flows after the answer, and not before it', async (t) => {
    const held: ServerResponse[] = [];
    riskgate.answerWith((_, response) => void held.push(response));
    const chunks: string[] = [];
    origin.answerWith((request, response) => {
      request.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
      request.on('end', () => respond(response, 200));
    });
    const before = origin.seen.length;
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST /shop HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n',
    );
    await until('riskgate is asked', async () => held.length === 1);
    t.equal(origin.seen.length, before, 'the origin knows nothing of it yet');
    for (const response of held) respond(response, 200, RISK);
    await until('the first part has come', async () => chunks.join('') === 'one');
    socket.write('3\r\ntwo\r\n0\r\n\r\n');
    await until('the rest has come', async () => chunks.join('') === 'onetwo');
    socket.destroy();
    riskgate.answerWith(allow);
    origin.answerWith(greet);
  });
}
