import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createEmulatorServer, emulatorEnvironment } from '../../src/emulators/server.ts';
import { lockFile } from '../../src/platform/lock-file.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { runProgram } from '../support/start-program.ts';
import { askForDecision, createServiceEnvironment, startService } from '../support/start-service.ts';

const MAIN: [string, string] = [process.execPath, 'src/main.ts'];

const emulators = createEmulatorServer({ providers: PROVIDERS });
/** What a call to the emulators waits for. */
let onCall: () => Promise<void> = async () => {};
emulators.app.addHook('onRequest', () => onCall());
const upstream = await emulators.app.listen({ host: '127.0.0.1', port: 0 });
t.teardown(() => emulators.app.close());

/** With every provider of the registry: one that is not enabled is a line of the log. */
function createEnvironment(t: Test): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'riskgate-main-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return {
    ...createServiceEnvironment(t, upstream),
    ...emulatorEnvironment(PROVIDERS, upstream),
    // Lists that a restart forgets would be one more warning.
    LISTS_FILE: join(folder, 'lists.journal'),
  };
}

t.test('names everything that is missing at once, and never runs on emulators instead', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, MAIN);
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(stderr, /^riskgate does not start/);
  const mistakes = stderr.split('\n').filter((line) => line.startsWith('  - '));
  t.match(mistakes, [
    /API_KEYS_FILE is missing/,
    /ID_HASH_KEY is missing/,
    /no provider is enabled: set STYTCH_PROJECT_ID and STYTCH_SECRET, or MOBILERUN_API_KEY, or PREFACTOR_API_TOKEN/,
  ]);
  t.equal(mistakes.length, 3);
  t.notMatch(stderr, /emulat/i);
});

t.test('says in a sentence that another process has its files', async (t) => {
  const env = createEnvironment(t);
  const { LISTS_FILE } = env;
  const lock = lockFile(`${LISTS_FILE}.lock`);
  t.teardown(() => lock.close());
  t.match(await runProgram(t, MAIN, { env }), {
    code: 1,
    stdout: '',
    stderr:
      /^riskgate does not start; LISTS_FILE \S+: another process has it, or its folder cannot be written\n$/,
  });
});

t.test('names every wrong value and every mistake in the files at once, and repeats no value', async (t) => {
  const directory = t.testdir({
    'policy.yaml':
      'policy: p\notherwise: MAYBE\nrules:\n  - id: r\n    when: stytch.nonsense\n    verdict: BLOCK\n    reason: R\n',
    'api-keys.yaml': 'keys:\n  - id: k\n    sha256: canary-pasted-key\n    scopes: [root]\n',
  });
  const { code, stdout, stderr } = await runProgram(t, MAIN, {
    env: {
      PORT: 'canary-port',
      LOG_LEVEL: 'canary-loud',
      ID_HASH_KEY: 'canary-short',
      REDIS_URL: 'http://:canary-password@127.0.0.1',
      DECISION_DEADLINE_MS: '20000',
      METRICS: 'canary-maybe',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'canary://collector',
      STYTCH_SECRET: 'canary-secret',
      STYTCH_BASE_URL: 'canary://base',
      MOBILERUN_API_KEY: 'canary\nkey',
      MOBILERUN_TIMEOUT_MS: '-1',
      PREFACTOR_API_TOKEN: 'canary-token',
      POLICY_FILE: `${directory}/policy.yaml`,
      API_KEYS_FILE: `${directory}/api-keys.yaml`,
    },
  });
  t.equal(code, 1);
  t.equal(stdout, '');
  const named = [
    /PORT must be a whole number/,
    /LOG_LEVEL /,
    /ID_HASH_KEY must be at least 32 bytes/,
    /REDIS_URL must be a redis/,
    /DECISION_DEADLINE_MS must be at most 10000/,
    /METRICS must be on or off/,
    /OTEL_EXPORTER_OTLP_ENDPOINT must be an http:/,
    /STYTCH_PROJECT_ID is missing/,
    /STYTCH_BASE_URL /,
    /MOBILERUN_API_KEY /,
    /MOBILERUN_TIMEOUT_MS /,
    /PREFACTOR_BASE_URL is missing/,
    /policy\.yaml:2:\d+: /,
    /api-keys\.yaml:3:\d+: .*sha256/,
    /api-keys\.yaml:4:\d+: .*scopes/,
  ];
  for (const mistake of named) t.match(stderr, mistake);
  t.notMatch(stderr, /canary/);
});

t.test('names the place of a condition that does not compile', async (t) => {
  const directory = t.testdir({
    'policy.yaml':
      'policy: p\notherwise: ALLOW\nrules:\n  - id: r\n    when: stytch.nonsense\n    verdict: BLOCK\n    reason: R\n',
  });
  const env = { ...createEnvironment(t), POLICY_FILE: `${directory}/policy.yaml` };
  const { code, stderr } = await runProgram(t, MAIN, { env });
  t.equal(code, 1);
  t.match(stderr, /policy\.yaml:5:\d+: .*nonsense/);
});

t.test('names files that cannot be read', async (t) => {
  const env = {
    ...createEnvironment(t),
    POLICY_FILE: '/nowhere/policy.yaml',
    API_KEYS_FILE: '/nowhere/keys.yaml',
  };
  const { code, stderr } = await runProgram(t, MAIN, { env });
  t.equal(code, 1);
  t.match(stderr, /POLICY_FILE \/nowhere\/policy\.yaml: cannot be read \(ENOENT\)/);
  t.match(stderr, /API_KEYS_FILE \/nowhere\/keys\.yaml: cannot be read \(ENOENT\)/);
});

t.test('says in one line that the port is taken', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? String(address.port) : '';
  const env = { ...createEnvironment(t), PORT: port };
  const { code, stdout, stderr } = await runProgram(t, MAIN, { env });
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(stderr, new RegExp(`^[^\\n]*127\\.0\\.0\\.1:${port}[^\\n]*EADDRINUSE[^\\n]*\\n$`));
});

t.test('names a disabled provider in exactly one warning, with its inert rules', async (t) => {
  const { PREFACTOR_API_TOKEN: _, ...env } = createEnvironment(t);
  const service = await startService(t, env);
  t.equal((await askForDecision(service.origin, { telemetry_id: 'allow', device_id: 'active' })).status, 200);
  service.child.kill('SIGTERM');
  const { stdout } = await service.ended;
  const warnings = logLines(stdout).filter(({ level }) => level === 'warn');
  t.match(warnings, [{ event: 'provider.disabled', provider: 'prefactor', inert_rules: [/prefactor/] }]);
  t.equal(warnings.length, 1);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`on ${signal} finishes the request in flight, takes no other, and exits 0`, async (t) => {
    const settings = { DECISION_DEADLINE_MS: '10000', STYTCH_TIMEOUT_MS: '10000', LOG_DECISIONS: 'on' };
    const service = await startService(t, { ...createEnvironment(t), ...settings });
    const arrival = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    onCall = () => {
      arrival.resolve();
      return release.promise;
    };
    const answer = askForDecision(service.origin, { telemetry_id: 'allow', device_ids: {} });
    await arrival.promise;
    service.child.kill(signal);
    while (await isAccepting(service.origin)) await delay(5);
    release.resolve();
    const response = await answer;
    t.equal(response.status, 200);
    t.match(await response.json(), { providers: { stytch: { outcome: 'ok' } } });
    const { code, signal: killedBy, stdout, stderr } = await service.ended;
    t.strictSame({ code, killedBy, stderr }, { code: 0, killedBy: null, stderr: '' });
    t.match(
      logLines(stdout).map(({ event }) => event),
      ['service.listening', 'service.stopping', 'decision.made', 'service.stopped'],
    );
  });
}

t.test('exits 0 on SIGTERM while a client holds an idle connection', async (t) => {
  const service = await startService(t, createEnvironment(t));
  const { hostname, port } = new URL(service.origin);
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  socket.write('GET /livez HTTP/1.1\r\nHost: riskgate\r\n\r\n');
  await once(socket, 'data');
  service.child.kill('SIGTERM');
  t.match(await service.ended, { code: 0, signal: null });
});

t.test('exits 0 on SIGTERM while clients hold connections on which they ask nothing', async (t) => {
  const service = await startService(t, createEnvironment(t));
  const { hostname, port } = new URL(service.origin);
  const open = async (sent: string) => {
    const socket = connect(Number(port), hostname);
    t.teardown(() => socket.destroy());
    // It is reset at the end.
    socket.on('error', () => {});
    await once(socket, 'connect');
    if (sent !== '') socket.write(sent);
  };
  await open('');
  await open('GET /livez HTTP/1.1\r\nHost: ris');
  // So that all of it has arrived.
  t.equal((await fetch(`${service.origin}/livez`)).status, 200);
  service.child.kill('SIGTERM');
  t.match(await service.ended, { code: 0, signal: null });
});

function logLines(stdout: string): Record<string, unknown>[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function isAccepting(origin: string): Promise<boolean> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  const isConnected = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return isConnected;
}
