import { type ChildProcess, spawn } from 'node:child_process';
import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PROVIDERS } from '../providers/registry.ts';
import { fillLists } from './demo-lists.ts';
import { toDemoPolicy } from './demo-policy.ts';
import { createEmulatorServer, emulatorEnvironment } from './server.ts';
import { runTraffic } from './traffic.ts';
import { CALLERS } from './traffic-subjects.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const API_KEY = 'demo-key';

/**
 * One question for each verdict, with ids of the emulators. The shell makes a new telemetry id for the ALLOW,
 * as a page does when it loads: an id that another device or account has used is a BLOCK, and one that is an
 * hour old is a CHALLENGE.
 */
const QUESTIONS = [
  {
    verdict: 'ALLOW',
    telemetryId: "allow-'$(date +%s)'",
    deviceId: 'active',
    why: 'a known device with nothing against it',
  },
  {
    verdict: 'CHALLENGE',
    telemetryId: "challenge-'$(date +%s)'",
    deviceId: 'active',
    why: 'a virtual machine in a datacenter',
  },
  {
    verdict: 'BLOCK',
    telemetryId: 'forged',
    deviceId: 'active',
    why: 'a telemetry id that was never issued',
  },
] as const;

const READY_POLL_MS = 20;

/**
 * `--traffic`: generated traffic runs all the time. `--history`: so many decisions of the month before are there
 * already. `--wait-seconds`: how long to wait for the start, for
 * busy machines.
 */
const { values: options } = parseArgs({
  options: {
    traffic: { type: 'boolean', default: false },
    history: { type: 'string', default: '0' },
    'wait-seconds': { type: 'string', default: '60' },
  },
});
const historyDecisions = /^\d{1,7}$/.test(options.history) ? Number(options.history) : null;
const callerKeys = Object.fromEntries(
  options.traffic ? CALLERS.map((caller) => [caller, randomBytes(16).toString('hex')]) : [],
);

const host = process.env['HOST'] || '127.0.0.1';
const port = await findPort(host, Number(process.env['PORT'] || 8080)).catch((error: unknown) => {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
  const place = `${host}:${process.env['PORT'] || 8080}`;
  console.error(`The demo cannot listen on ${place} (${String(code)}). Set PORT to a free port.`);
  return null;
});
if (historyDecisions === null) console.error('--history takes a number of decisions, at most 9999999.');
if (port === null || historyDecisions === null) process.exitCode = 1;
else await run(host, port, historyDecisions);

/**
 * Runs emulators and service until either a signal or the service itself ends them. The exit code is the
 * service's.
 */
async function run(host: string, port: number, decisions: number): Promise<void> {
  const scratch = openScratch();
  if (decisions > 0) await fillHistoryOf(scratch, decisions);
  const { app: emulators } = createEmulatorServer({ providers: PROVIDERS });
  const upstreams = emulatorEnvironment(PROVIDERS, await emulators.listen({ host: '127.0.0.1', port: 0 }));
  const service = startService({ ...upstreams, HOST: host, PORT: String(port) }, scratch);
  const stop = new AbortController();
  stop.signal.addEventListener('abort', () => service.kill('SIGTERM'));
  // npm passes on the signals that a terminal has already sent to everyone: only the first one counts.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  // What the event `exit` comes with.
  const ended = once(service, 'exit') as Promise<[code: number | null, signal: string | null]>;
  const url = `http://${toUrlHost(host)}:${port}`;
  const waitSeconds = Number(options['wait-seconds']);
  const readiness = await waitUntilReady(url, service, waitSeconds * 1000);
  if (readiness === 'ready') {
    console.log(toInvitation(url));
    if (options.traffic) void followTraffic(url, stop.signal);
  } else service.kill('SIGTERM');
  const [code, signal] = await ended;
  const isAsked = stop.signal.aborted;
  stop.abort();
  if (readiness === 'late' && !isAsked)
    console.error(
      `The demo ends: its service was not ready within ${waitSeconds} s. On a busy machine give it longer with --wait-seconds; LOG_LEVEL=info shows how far it comes.`,
    );
  else if (!isAsked) console.error(`The demo ends: its service ended with ${signal ?? `exit code ${code}`}.`);
  process.exitCode = readiness === 'late' ? 1 : (code ?? 1);
  await emulators.close();
}

/** Reports progress. */
function followTraffic(url: string, signal: AbortSignal): Promise<void> {
  const say = (text: string) => console.log(`traffic: ${text}`);
  // Without them the traffic is poorer, and that is all.
  fillLists(url, API_KEY).catch(() => say('the lists could not be filled'));
  return runTraffic({ origin: url, keys: callerKeys, say, signal });
}

/** What one demo keeps in files, and hashes ids with. */
interface Scratch {
  /** Is removed at exit. */
  readonly directory: string;
  /** That of the environment, which stays, or one in the directory. */
  readonly dataDirectory: string;
  readonly idHashKey: string;
}

function openScratch(): Scratch {
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-demo-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  return {
    directory,
    dataDirectory: process.env['DATA_DIR'] || join(directory, 'data'),
    idHashKey: randomBytes(32).toString('hex'),
  };
}

/** Before the service starts: a history is one process's. */
async function fillHistoryOf({ directory, ...others }: Scratch, decisions: number): Promise<void> {
  const say = (text: string) => console.log(`history: ${text}`);
  say(`${decisions} decisions of the past month are made`);
  const { fillHistory } = await import('./history.ts');
  await fillHistory({ ...others, scratchDirectory: directory, decisions, untilMs: Date.now(), say });
}

/**
 * The real service as a child process. It leads its own process group, so that Ctrl-C reaches it only through
 * this process, once.
 */
function startService(settings: Record<string, string>, scratch: Scratch): ChildProcess {
  const { directory, dataDirectory, idHashKey } = scratch;
  const apiKeysFile = join(directory, 'api-keys.yaml');
  const keys = [
    { id: 'demo', sha256: hash('sha256', API_KEY), scopes: ['decide', 'read', 'admin'] },
    ...Object.entries(callerKeys).map(([id, key]) => ({
      id,
      sha256: hash('sha256', key),
      scopes: ['decide'],
    })),
  ];
  writeFileSync(apiKeysFile, JSON.stringify({ keys }), { mode: 0o600 });
  // An empty variable counts as absent: the in-process cache alone, and the default policy.
  const absent: Record<string, string> = { REDIS_URL: '', POLICY_FILE: '' };
  // The policy of the past, in its latest form, stays in force.
  if (options.traffic || historyDecisions !== 0) {
    settings['POLICY_FILE'] = join(directory, 'policy.yaml');
    writeFileSync(settings['POLICY_FILE'], toDemoPolicy());
  }
  const secrets = { API_KEYS_FILE: apiKeysFile, ID_HASH_KEY: idHashKey };
  // Nor a file in place of a variable that is set here.
  for (const name of Object.keys({ ...absent, ...settings, ...secrets })) absent[`${name}_FILE`] = '';
  // Warnings only: lines would mix with the output of curl. The history ends with the demo.
  const defaults = { LOG_LEVEL: 'warn', DRAIN_DELAY_MS: '0', DATA_DIR: dataDirectory };
  const service = spawn(process.execPath, ['src/main.ts'], {
    cwd: ROOT,
    env: { ...defaults, ...process.env, ...absent, ...settings, ...secrets },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  // Before its files are removed.
  process.prependOnceListener('exit', () => service.kill('SIGKILL'));
  return service;
}

/**
 * The port to use: `wanted`, or a free one for 0. Rejects when the port is in use. It is checked before the
 * service starts, so that another service on this port cannot answer in its place.
 */
async function findPort(host: string, wanted: number): Promise<number> {
  const server = createServer();
  server.listen({ host, port: wanted, exclusive: true });
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : wanted;
}

async function waitUntilReady(
  url: string,
  service: ChildProcess,
  waitMs: number,
): Promise<'ready' | 'ended' | 'late'> {
  const deadlineMs = performance.now() + waitMs;
  while (performance.now() < deadlineMs) {
    if (service.exitCode !== null || service.signalCode !== null) return 'ended';
    // Connections are refused until the service listens.
    const response = await fetch(`${url}/readyz`).catch(() => null);
    if (response?.ok) return 'ready';
    await delay(READY_POLL_MS);
  }
  return 'late';
}

/** An address that connects to what listens on `host`. */
function toUrlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function toInvitation(url: string): string {
  const lines = QUESTIONS.map(({ verdict, why, telemetryId, deviceId }) => {
    const body = JSON.stringify({ telemetry_id: telemetryId, device_id: deviceId });
    const headers = `-H 'Authorization: Bearer ${API_KEY}' -H 'Content-Type: application/json'`;
    return `# ${verdict}: ${why}\ncurl -s -w '\\n' ${url}/v1/decide ${headers} -d '${body}'\n`;
  });
  return [
    `riskgate decides at ${url}, on emulated upstreams. The API key is ${API_KEY}.\n`,
    ...lines,
    `The dashboard is at ${url}/dashboard; sign in with ${API_KEY}.${options.traffic ? '' : ' --traffic brings it to life.'}`,
    `The API is described at ${url}/docs, and the ids that the emulators know in src/emulators/README.md.`,
    'LOG_LEVEL=info LOG_DECISIONS=on shows a line for every decision. Ctrl-C ends the demo.',
  ].join('\n');
}
