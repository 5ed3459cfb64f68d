/**
 * Egress through a real CONNECT proxy, to upstreams with TLS of a private authority, by names that only the
 * proxy resolves.
 */
import { lookup } from 'node:dns';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { type PrepareRequestFunctionOpts, Server } from 'proxy-chain';
import t, { type Test } from 'tap';
import { createEmulatorServer, emulatorEnvironment } from '../../src/emulators/server.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import {
  askForDecision,
  createServiceEnvironment,
  patienceOf,
  startService,
} from '../support/start-service.ts';
import { portOf, until } from '../support/test-app.ts';
import { createTlsFiles } from '../support/tls-files.ts';
import { VENDORS } from '../support/vendors.ts';

const USER = 'egress-user';
const PASSWORD = 'egress%40secret';
const UPSTREAM = 'upstream.test';

const directory = mkdtempSync(join(tmpdir(), 'riskgate-proxy-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
const tls = createTlsFiles(directory, 'upstream', [UPSTREAM]);
const emulators = createEmulatorServer({ providers: VENDORS });
const plain = new URL(await emulators.app.listen({ host: '127.0.0.1', port: 0 }));
t.teardown(() => emulators.app.close());
/** Ends the TLS of the upstreams. */
const secure = createServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, (socket) => {
  const inner = connect(Number(plain.port), '127.0.0.1');
  socket.pipe(inner).pipe(socket);
  for (const one of [socket, inner]) one.on('error', () => one.destroy());
});
await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
t.teardown(() => secure.close());
const upstream = `https://${UPSTREAM}:${portOf(secure.address())}`;

async function startProxy(t: Test) {
  const tunnels: string[] = [];
  const proxy = new Server({
    host: '127.0.0.1',
    port: 0,
    prepareRequestFunction: ({ username, password, hostname, port }: PrepareRequestFunctionOpts) => {
      tunnels.push(`${hostname}:${port}`);
      return {
        requestAuthentication: username !== USER || password !== decodeURIComponent(PASSWORD),
        dnsLookup: ((_host: string, options: object, done: never) =>
          lookup('127.0.0.1', options, done)) as typeof lookup,
      };
    },
  });
  await proxy.listen();
  t.teardown(() => proxy.close(true));
  return { proxy, tunnels, url: (password: string) => `http://${USER}:${password}@127.0.0.1:${proxy.port}` };
}

function environment(t: Test, proxy: string): Record<string, string> {
  return {
    ...createServiceEnvironment(t, plain.origin),
    ...emulatorEnvironment(VENDORS, upstream),
    ...patienceOf(5_000),
    HTTPS_PROXY: proxy,
    NODE_EXTRA_CA_CERTS: tls.ca,
  };
}

const QUESTION = { telemetry_id: 'allow', device_id: 'active' };

t.test('decides through the proxy, and keeps the connections', async (t) => {
  const { tunnels, url } = await startProxy(t);
  const service = await startService(t, environment(t, url(PASSWORD)));
  const first = (await (await askForDecision(service.origin, QUESTION)).json()) as { decision: string };
  t.equal(first.decision, 'ALLOW');
  t.same(new Set(tunnels), new Set([`${UPSTREAM}:${portOf(secure.address())}`]));
  const opened = tunnels.length;
  const other = { telemetry_id: 'allow-2', device_id: 'active-2' };
  t.equal((await askForDecision(service.origin, other)).status, 200);
  t.equal(tunnels.length, opened, 'a warm connection needs no tunnel');
  service.child.kill('SIGTERM');
  const { stdout, stderr } = await service.ended;
  t.notOk(`${stdout}${stderr}`.includes('secret'));
});

t.test(
  'a proxy that wants other credentials is an outage with its code, and no secret in the log',
  async (t) => {
    const { url } = await startProxy(t);
    const service = await startService(t, environment(t, url('wrong-secret')));
    const answer = (await (await askForDecision(service.origin, QUESTION)).json()) as Record<string, unknown>;
    t.match(answer, {
      decision: 'CHALLENGE',
      degraded: true,
      providers: { stytch: { outcome: 'unavailable' } },
    });
    await service.until(/proxy_407/);
    service.child.kill('SIGTERM');
    const { stdout, stderr } = await service.ended;
    for (const secret of ['secret', USER, Buffer.from(`${USER}:wrong-secret`).toString('base64')])
      t.notOk(`${stdout}${stderr}`.includes(secret), secret);
  },
);

t.test('a proxy that is down or silent is an outage within the deadline', async (t) => {
  const silent = createSilent();
  const port = await silent.listen();
  t.teardown(silent.close);
  const env = { ...environment(t, `http://127.0.0.1:${port}`), ...patienceOf(300) };
  const service = await startService(t, env);
  const late = (await (await askForDecision(service.origin, QUESTION)).json()) as Record<string, unknown>;
  t.match(late, { decision: 'CHALLENGE', providers: { stytch: { outcome: 'timeout' } } });
  const down = await startService(t, environment(t, 'http://127.0.0.1:1'));
  const refused = (await (await askForDecision(down.origin, QUESTION)).json()) as Record<string, unknown>;
  t.match(refused, { decision: 'CHALLENGE', providers: { stytch: { outcome: 'unavailable' } } });
  await down.until(/proxy_econnrefused/);
});

t.test('loopback and NO_PROXY are reached directly', async (t) => {
  const { tunnels, url } = await startProxy(t);
  const env = {
    ...environment(t, url(PASSWORD)),
    ...emulatorEnvironment(VENDORS, plain.origin),
    HTTP_PROXY: url(PASSWORD),
  };
  const service = await startService(t, env);
  const answer = (await (await askForDecision(service.origin, QUESTION)).json()) as { decision: string };
  t.equal(answer.decision, 'ALLOW');
  const excepted = { ...environment(t, url(PASSWORD)), no_proxy: '.test', STYTCH_TIMEOUT_MS: '5000' };
  const direct = await startService(t, excepted);
  // Only the proxy knows the name.
  t.match(await (await askForDecision(direct.origin, QUESTION)).json(), {
    providers: { stytch: { outcome: 'unavailable' } },
  });
  t.same(tunnels, []);
});

t.test('traces go through the proxy too', async (t) => {
  const { tunnels, url } = await startProxy(t);
  const receiver = await startOtlpReceiver(t);
  const { port } = new URL(receiver.endpoint);
  const env = {
    ...environment(t, url(PASSWORD)),
    HTTP_PROXY: url(PASSWORD),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://collector.test:${port}`,
  };
  const service = await startService(t, env);
  await askForDecision(service.origin, QUESTION);
  service.child.kill('SIGTERM');
  await service.ended;
  await until('the collector is reached', () => receiver.spans().length > 0);
  t.ok(tunnels.includes(`collector.test:${port}`));
});

/** Accepts and says nothing. */
function createSilent() {
  const sockets = new Set<{ destroy(): void }>();
  const server = createNetServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  return {
    listen: async () => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return portOf(server.address());
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
