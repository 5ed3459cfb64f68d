import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import net from 'node:net';
import t from 'tap';
import { createEmulatorServer, emulatorEnvironment } from '../../src/emulators/server.ts';
import {
  createEmulators,
  EMULATED,
  type LookupRequest,
  listen,
  mobilerunLookup,
  prefactorLookup,
  stytchLookup,
} from './emulated-providers.ts';

t.test('counts calls per provider and per id', async (t) => {
  const server = createEmulators(t);
  await server.app.inject(stytchLookup('allow'));
  await server.app.inject(stytchLookup('allow'));
  await server.app.inject(mobilerunLookup('unknown'));
  await server.app.inject({ url: '/api/v1/wrong' });
  await server.app.inject({ url: '/nobody' });
  t.strictSame(server.callCounts(), { stytch: 2, mobilerun: 1, prefactor: 1 });
  t.equal(server.callCount('stytch', 'allow'), 2);
  t.equal(server.callCount('mobilerun', 'unknown'), 1);
  t.equal(server.callCount('prefactor', 'allow'), 0);
  t.equal(server.callCount('nobody', 'allow'), 0);

  server.resetCallCounts();
  t.strictSame(server.callCounts(), { stytch: 0, mobilerun: 0, prefactor: 0 });
  t.equal(server.callCount('stytch', 'allow'), 0);
});

t.test('answers a plain 404 to requests for no provider', async (t) => {
  const { app } = createEmulators(t);
  const response = await app.inject({ url: '/' });
  t.strictSame([response.statusCode, response.body], [404, '404 page not found\n']);
});

t.test('carries only the providers it is given', async (t) => {
  const { app, callCounts } = createEmulatorServer({ providers: EMULATED.slice(0, 1) });
  t.teardown(() => app.close());
  t.equal((await app.inject(stytchLookup('allow'))).statusCode, 200);
  t.equal((await app.inject(prefactorLookup('active'))).statusCode, 404);
  t.strictSame(callCounts(), { stytch: 1 });
});

for (const { id: provider, lookup } of EMULATED) {
  t.test(`${provider} hangs without a byte until the server closes`, async (t) => {
    const { app, port } = await listen(t);
    const request = send(port, lookup('fault-hang'));
    let hasAnswer = false;
    request.once('response', () => {
      hasAnswer = true;
    });
    const gone = once(request, 'error').catch((error: unknown) => [error]);
    await once(app.server, 'request');
    t.equal((await answerTo(port, lookup('fault-slow-1'))).statusCode, 200, 'others are served meanwhile');
    t.equal(hasAnswer, false);
    await app.close();
    t.match(await failureOf(gone), { code: 'ECONNRESET' });
  });

  t.test(`${provider} stalls after half of the announced body`, async (t) => {
    const { app, port } = await listen(t);
    const response = await answerTo(port, lookup('fault-stall'));
    const [chunk] = (await once(response, 'data')) as [Buffer];
    t.equal(response.statusCode, 200);
    t.ok(chunk.length < Number(response.headers['content-length']));
    response.on('error', () => {});
    const broken = new Promise((resolve) => response.once('close', resolve));
    await app.close();
    await broken;
    t.equal(response.complete, false);
  });

  t.test(`${provider} drips until the client leaves`, async (t) => {
    const { app, port } = await listen(t);
    const response = await answerTo(port, lookup('fault-drip'));
    for (let chunk = 0; chunk < 2; chunk += 1) await once(response, 'data');
    response.destroy();
    await app.close();
    t.equal(response.complete, false);
  });

  t.test(`${provider} resets the connection`, async (t) => {
    const { port } = await listen(t);
    t.match(await failureOf(once(send(port, lookup('fault-reset')), 'response')), { code: 'ECONNRESET' });
  });

  t.test(`${provider} closes at once although a slow answer is due`, async (t) => {
    const { app, port } = await listen(t);
    const answer = once(send(port, lookup('fault-slow-59000')), 'response');
    const failure = failureOf(answer);
    await once(app.server, 'request');
    await app.close();
    t.match(await failure, { code: 'ECONNRESET' });
  });

  t.test(`${provider} takes chunked bodies of any content type`, async (t) => {
    const { port } = await listen(t);
    const { method, payload = '', ...rest } = lookup('fault-slow-0');
    const headers = { ...rest.headers, 'content-type': 'image/png', 'transfer-encoding': 'chunked' };
    const request = http.request({ port, host: '127.0.0.1', path: rest.url, method, headers });
    for (const character of payload) request.write(character);
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    t.equal(response.statusCode, 200);
  });

  t.test(`${provider} survives hostile requests`, async (t) => {
    const { app } = createEmulators(t);
    const good = lookup('fault-slow-0');
    const hostile = [
      { ...good, url: `${good.url}%zz` },
      { ...good, url: `${good.url}?__proto__=1&telemetry_id[]=2` },
      { ...good, headers: { ...good.headers, 'content-type': ';;;' }, method: 'POST' as const, payload: '{' },
      { ...good, method: 'POST' as const, payload: `{"telemetry_id":${'['.repeat(10_000)}` },
      { ...good, method: 'POST' as const, payload: 'x'.repeat(2 * 1024 * 1024) },
      { ...good, headers: { authorization: `Bearer ${'ÿ'.repeat(1_000)}` } },
    ];
    for (const request of hostile) t.ok((await app.inject(request)).statusCode < 500);
    t.equal((await app.inject(good)).statusCode, 200);
  });
}

t.test('survives bytes that are not HTTP', async (t) => {
  const { port } = await listen(t);
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.end('\0\0\0garbage\r\n\r\n');
  socket.resume();
  await once(socket, 'close');
  t.equal((await answerTo(port, stytchLookup('allow'))).statusCode, 200);
});

t.test('names the variables that point a service at the emulators', async (t) => {
  const schema = {} as never;
  const setting = { schema, description: '' };
  const first = {
    url: { ...setting, env: 'FIRST_BASE_URL', default: 'https://first.example/v1/' },
    key: { ...setting, env: 'FIRST_KEY', isCredential: true },
    mode: { ...setting, env: 'FIRST_MODE', default: 'post' },
  };
  const second = { url: { ...setting, env: 'SECOND_BASE_URL' } };
  t.strictSame(emulatorEnvironment([{ settings: first }, { settings: second }], 'http://127.0.0.1:8081'), {
    FIRST_BASE_URL: 'http://127.0.0.1:8081/v1',
    FIRST_KEY: 'emulated',
    SECOND_BASE_URL: 'http://127.0.0.1:8081',
  });
});

function send(port: number, { method, url, headers, payload }: LookupRequest): ClientRequest {
  const request = http.request({ port, host: '127.0.0.1', path: url, method, headers });
  request.end(payload);
  return request;
}

async function answerTo(port: number, lookup: LookupRequest): Promise<IncomingMessage> {
  const [response] = (await once(send(port, lookup), 'response')) as [IncomingMessage];
  return response;
}

/** The error of an exchange that must not succeed. */
async function failureOf(exchange: Promise<unknown>): Promise<unknown> {
  return exchange.then(
    (value) => (Array.isArray(value) && value[0] instanceof Error ? value[0] : new Error('it succeeded')),
    (error: unknown) => error,
  );
}
