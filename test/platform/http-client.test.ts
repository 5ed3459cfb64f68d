import { once } from 'node:events';
import {
  createServer,
  type Server as HttpServer,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createHttpClient, type HttpRequest } from '../../src/platform/http-client.ts';
import { until } from '../support/test-app.ts';

const GET: HttpRequest = { method: 'GET', path: '/thing', headers: {} };
/** Far more than a loopback exchange takes. */
const AMPLE_MS = 10_000;
/** For exchanges that are meant to run out of time. */
const SHORT_MS = 400;

process.on('unhandledRejection', (reason) => {
  throw reason;
});

t.test('answers with status, lower-case headers and the decoded body', async (t) => {
  const { client } = await serve(t, (_request, response) => {
    response.writeHead(404, { 'X-Thing': 'one', 'Set-Cookie': ['a=1', 'b=2'] });
    // Split inside the two bytes of an umlaut.
    const bytes = Buffer.from('{"wörd":1}');
    response.write(bytes.subarray(0, 4));
    setImmediate(() => response.end(bytes.subarray(4)));
  });
  const result = await client.exchange(GET, AMPLE_MS);
  if (result.kind !== 'response') throw new Error(result.kind);
  t.equal(result.response.status, 404);
  t.equal(result.response.body, '{"wörd":1}');
  t.equal(result.response.headers['x-thing'], 'one');
  t.equal(result.response.headers['set-cookie'], 'a=1, b=2', 'a repeated header hides none of its values');
  t.equal(result.response.headers['constructor'], undefined, 'a header that was not sent is absent');
});

t.test('gives no body whose bytes are not UTF-8', async (t) => {
  const bodies: readonly number[][] = [
    [0xff],
    [0x22, 0xc3, 0x22],
    [0xed, 0xa0, 0x80],
    [0xc0, 0xaf],
    [0xfe, 0xff, 0, 0x31],
  ];
  for (const bytes of bodies) {
    const { client } = await serve(t, (_request, response) => response.end(Buffer.from(bytes)));
    t.match(
      await client.exchange(GET, AMPLE_MS),
      { kind: 'response', response: { body: null } },
      bytes.join(),
    );
  }
});

t.test('sends method, headers and body, and puts the path prefix in front', async (t) => {
  const seen: unknown[] = [];
  const listener: RequestListener = (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      seen.push([request.method, request.url, request.headers['authorization'], body]);
      response.end();
    });
  };
  const { server } = await serve(t, listener);
  for (const prefix of ['', '/', '/v1', '/v1/', '/a/b//']) {
    const client = createHttpClient({ baseUrl: `http://127.0.0.1:${portOf(server)}${prefix}` });
    t.teardown(() => client.close());
    const headers = { authorization: 'Basic x', 'content-type': 'application/json' };
    await client.exchange({ method: 'POST', path: '/x%2Fy?q=1', headers, body: '{"ä":1}' }, AMPLE_MS);
  }
  const expected = ['/x%2Fy?q=1', '/x%2Fy?q=1', '/v1/x%2Fy?q=1', '/v1/x%2Fy?q=1', '/a/b/x%2Fy?q=1'];
  t.same(
    seen,
    expected.map((path) => ['POST', path, 'Basic x', '{"ä":1}']),
  );
});

t.test('refuses a base URL with parts that it would lose', async (t) => {
  for (const baseUrl of ['ftp://x', 'http://x/?q', 'http://x/#f', 'http://u:p@x', 'nonsense', '']) {
    t.throws(() => createHttpClient({ baseUrl }), TypeError, baseUrl);
  }
});

t.test('does not follow a redirect', async (t) => {
  let calls = 0;
  const { client } = await serve(t, (_request, response) => {
    calls += 1;
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  const result = await client.exchange(GET, AMPLE_MS);
  t.match(result, { kind: 'response', response: { status: 302, headers: { location: '/elsewhere' } } });
  t.equal(calls, 1);
});

t.test('hands a compressed body on as it came', async (t) => {
  const { client } = await serve(t, (request, response) => {
    t.notOk(request.headers['accept-encoding'], 'none was asked for');
    response.writeHead(200, { 'content-encoding': 'gzip' }).end('not really gzip');
  });
  t.match(await client.exchange(GET, AMPLE_MS), { kind: 'response', response: { body: 'not really gzip' } });
});

t.test('skips informational responses', async (t) => {
  const { client } = await serve(t, (_request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.end('final');
  });
  t.match(await client.exchange(GET, AMPLE_MS), {
    kind: 'response',
    response: { status: 200, body: 'final' },
  });
});

t.test('times out when no headers come, and destroys the socket', async (t) => {
  const { client, server } = await serve(t, () => {});
  const [[socket], result] = await Promise.all([
    once(server, 'connection') as Promise<[Socket]>,
    client.exchange(GET, SHORT_MS),
  ]);
  t.same(result, { kind: 'timeout' });
  await closeOf(socket);
});

t.test('times out when the body stalls, and destroys the socket', async (t) => {
  const { client, server } = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"half":');
  });
  const [[socket], result] = await Promise.all([
    once(server, 'connection') as Promise<[Socket]>,
    client.exchange(GET, SHORT_MS),
  ]);
  t.same(result, { kind: 'timeout' });
  await closeOf(socket);
});

t.test('times out when the body trickles', async (t) => {
  const { client } = await serve(t, (_request, response) => {
    const timer = setInterval(() => response.write('.'), 5);
    response.on('close', () => clearInterval(timer));
  });
  t.same(await client.exchange(GET, SHORT_MS), { kind: 'timeout' });
});

t.test('times out while a TLS handshake hangs, and leaves no socket after close', async (t) => {
  const { server, sockets } = await serveTcp(t, () => {});
  const client = createHttpClient({ baseUrl: `https://127.0.0.1:${portOf(server)}` });
  t.same(await client.exchange(GET, SHORT_MS), { kind: 'timeout' });
  t.equal(sockets.length, 1);
  await client.close();
  const closed = Promise.all(sockets.map(closeOf)).then(() => 'closed');
  // Left to itself the socket would live until the connect timeout of 4 s.
  t.equal(await Promise.race([closed, delay(2_000, 'open', { ref: false })]), 'closed');
});

t.test('settles at once without a call when there is no budget', async (t) => {
  let connections = 0;
  const { client, server } = await serve(t, (_request, response) => void response.end());
  server.on('connection', () => {
    connections += 1;
  });
  for (const budgetMs of [0, -1, Number.NaN, Number.NEGATIVE_INFINITY]) {
    t.same(await client.exchange(GET, budgetMs), { kind: 'timeout' });
  }
  t.equal(connections, 0);
  t.match(
    await client.exchange(GET, Number.POSITIVE_INFINITY),
    { kind: 'response' },
    'no bound is a bound too',
  );
});

t.test('calls a body above the cap oversized by its content-length, without reading it', async (t) => {
  const { client, server } = await serve(
    t,
    (_request, response) => {
      response.writeHead(200, { 'content-length': '1001' }).flushHeaders();
    },
    { bodyBytesMax: 1000 },
  );
  const [[socket], result] = await Promise.all([
    once(server, 'connection') as Promise<[Socket]>,
    client.exchange(GET, AMPLE_MS),
  ]);
  t.same(result, { kind: 'oversized' });
  await closeOf(socket);
});

t.test('calls a chunked body oversized as soon as it passes the cap', async (t) => {
  const { client, server } = await serve(
    t,
    (_request, response) => {
      response.write('x'.repeat(1000));
      setImmediate(() => response.write('x'));
    },
    { bodyBytesMax: 1000 },
  );
  const [[socket], result] = await Promise.all([
    once(server, 'connection') as Promise<[Socket]>,
    client.exchange(GET, AMPLE_MS),
  ]);
  t.same(result, { kind: 'oversized' });
  await closeOf(socket);
});

t.test('accepts a body of exactly the cap', async (t) => {
  const { client } = await serve(t, (_request, response) => void response.end('x'.repeat(1000)), {
    bodyBytesMax: 1000,
  });
  t.match(await client.exchange(GET, AMPLE_MS), { kind: 'response', response: { body: /^x{1000}$/ } });
});

t.test('fails with a code when the connection is refused', async (t) => {
  const { server } = await serveTcp(t, () => {});
  const baseUrl = `http://127.0.0.1:${portOf(server)}`;
  server.close();
  await once(server, 'close');
  const client = createHttpClient({ baseUrl });
  t.teardown(() => client.close());
  t.same(await client.exchange(GET, AMPLE_MS), { kind: 'failed', code: 'ECONNREFUSED' });
});

t.test('fails with a code when the peer resets, closes early or talks nonsense', async (t) => {
  const cases: readonly [string, (socket: Socket) => void, string][] = [
    ['reset before headers', (socket) => socket.resetAndDestroy(), 'ECONNRESET'],
    ['close before headers', (socket) => socket.end(), 'UND_ERR_SOCKET'],
    ['close mid-body', (s) => s.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'), 'UND_ERR_SOCKET'],
    [
      'close mid-chunk',
      (s) => s.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf'),
      'UND_ERR_SOCKET',
    ],
    ['nonsense', (socket) => socket.write('SSH-2.0-OpenSSH\r\n'), 'HTTPParserError'],
  ];
  for (const [name, answer, code] of cases) {
    const { server } = await serveTcp(t, (socket) => socket.once('data', () => answer(socket)));
    const client = createHttpClient({ baseUrl: `http://127.0.0.1:${portOf(server)}` });
    t.teardown(() => client.close());
    t.same(await client.exchange(GET, AMPLE_MS), { kind: 'failed', code }, name);
  }
});

t.test('fails with a code on a request that cannot be sent', async (t) => {
  const { client } = await serve(t, (_request, response) => void response.end());
  const unsendable: HttpRequest[] = [
    { ...GET, path: 'no-slash' },
    { ...GET, path: '/white space' },
    { ...GET, headers: { 'x-a': 'line\r\nbreak' } },
  ];
  for (const request of unsendable) {
    t.same(await client.exchange(request, AMPLE_MS), { kind: 'failed', code: 'UND_ERR_INVALID_ARG' });
  }
});

t.test('reuses connections', async (t) => {
  const ports = new Set<number | undefined>();
  const { client } = await serve(t, (request, response) => {
    ports.add(request.socket.remotePort);
    response.end('x');
  });
  for (let call = 0; call < 10; call += 1) await client.exchange(GET, AMPLE_MS);
  // undici leaves a connection alone for one turn of the event loop after each response, hence the second
  // one.
  t.ok(ports.size <= 2, `${ports.size} connections for ten exchanges`);
});

t.test('settles every exchange by its budget when the pool is exhausted', async (t) => {
  const waiting: ServerResponse[] = [];
  const { client } = await serve(t, (_request, response) => void waiting.push(response), {
    connectionsMax: 2,
  });
  const first = [client.exchange(GET, AMPLE_MS), client.exchange(GET, AMPLE_MS)];
  const results = await Promise.all(Array.from({ length: 10 }, () => client.exchange(GET, SHORT_MS)));
  t.same(new Set(results.map((result) => result.kind)), new Set(['timeout']));
  t.equal(waiting.length, 2, 'those that ran out of time in the queue were never sent');
  for (const response of waiting) response.end('x');
  t.match(await Promise.all(first), [{ kind: 'response' }, { kind: 'response' }]);
  t.equal(waiting.length, 2);
});

t.test('drops a request that ran out of time in the queue without costing the connection', async (t) => {
  const seen: string[] = [];
  const ports = new Set<number | undefined>();
  let release: (() => void) | undefined;
  const { client } = await serve(
    t,
    (request, response) => {
      seen.push(String(request.url));
      ports.add(request.socket.remotePort);
      if (request.url === '/first') release = () => response.end('x');
      else response.end('x');
    },
    { connectionsMax: 1 },
  );
  const first = client.exchange({ ...GET, path: '/first' }, AMPLE_MS);
  t.same(await client.exchange({ ...GET, path: '/queued' }, SHORT_MS), { kind: 'timeout' });
  const last = client.exchange({ ...GET, path: '/last' }, AMPLE_MS);
  release?.();
  t.match(await first, { kind: 'response' });
  t.match(await last, { kind: 'response' });
  t.same(seen, ['/first', '/last']);
  t.equal(ports.size, 1);
});

t.test('refuses more than eight waiting exchanges a connection, and recovers', async (t) => {
  let isHanging = true;
  const { client } = await serve(
    t,
    (_request, response) => {
      if (!isHanging) response.end('x');
    },
    { connectionsMax: 1 },
  );
  const waiting = Array.from({ length: 9 }, () => client.exchange(GET, SHORT_MS));
  t.same(await client.exchange(GET, SHORT_MS), { kind: 'failed', code: 'POOL_SATURATED' });
  await Promise.all(waiting);
  isHanging = false;
  t.match(await client.exchange(GET, AMPLE_MS), { kind: 'response' });
});

t.test('settles what is under way when it is closed, and fails what comes after', async (t) => {
  const { client, server } = await serve(t, () => {}, { connectionsMax: 1 });
  const underWay = client.exchange(GET, AMPLE_MS);
  const queued = client.exchange(GET, AMPLE_MS);
  await once(server, 'request');
  await client.close();
  t.same(await underWay, { kind: 'failed', code: 'UND_ERR_DESTROYED' });
  t.same(await queued, { kind: 'failed', code: 'UND_ERR_DESTROYED' });
  t.same(await client.exchange(GET, AMPLE_MS), { kind: 'failed', code: 'UND_ERR_DESTROYED' });
  await client.close();
});

t.test('leaves no timer and no socket behind', async (t) => {
  const before = countResources();
  const server = createServer((request, response) => {
    if (request.url === '/thing') response.end('x');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createHttpClient({ baseUrl: `http://127.0.0.1:${portOf(server)}` });
  const timersBefore = countResources()['Timeout'] ?? 0;
  await Promise.all(Array.from({ length: 20 }, () => client.exchange(GET, AMPLE_MS)));
  await client.exchange({ ...GET, path: '/hang' }, SHORT_MS);
  await client.close();
  t.equal(countResources()['Timeout'] ?? 0, timersBefore, 'the timers of settled exchanges are cleared');
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
  // A destroyed socket is closed a turn or two later.
  await until('the sockets are closed', () => !process.getActiveResourcesInfo().includes('TCPSocketWrap'));
  const after = countResources();
  for (const kind of Object.keys(after))
    t.ok((after[kind] ?? 0) <= (before[kind] ?? 0), `no ${kind} is left`);
});

interface ClientLimits {
  readonly connectionsMax?: number;
  readonly bodyBytesMax?: number;
}

async function serve(t: Test, listener: RequestListener, limits: ClientLimits = {}) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createHttpClient({ baseUrl: `http://127.0.0.1:${portOf(server)}`, ...limits });
  t.teardown(async () => {
    await client.close();
    server.close();
    server.closeAllConnections();
  });
  return { server, client };
}

async function serveTcp(t: Test, onSocket: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    // Without reading, the end of the peer would go unnoticed.
    socket.resume();
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { server, sockets };
}

function portOf(server: HttpServer | TcpServer): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  return address.port;
}

async function closeOf(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket, 'close');
}

function countResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
