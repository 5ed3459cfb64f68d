import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { emulatorEnvironment } from '../src/emulators/server.ts';
import { PROVIDERS } from '../src/providers/registry.ts';
import { findFreePort } from './free-port.ts';
import { LoadConnection } from './load/connection.ts';
import { readMachine } from './machine-report.ts';
import { BenchProcesses } from './processes.ts';
import { toSpread } from './statistics.ts';
import { API_KEY, toBody, WARM_IDS } from './variants.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Of /proc/PID/stat, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const START_WAIT_MS = 60_000;
const CONNECTIONS = 8;
/** Of the readiness, whose own answers count as part of the start. */
const POLL_MS = 5;

const CONFIGURATIONS = ['memory', 'history'] as const;
type Configuration = (typeof CONFIGURATIONS)[number];

/** What one start showed, in the order of the table. */
const FIGURES = {
  readyMs: 'ms to ready',
  readyCpuMs: 'ms of CPU to ready',
  firstMs: 'ms of the first decision',
  readyMb: 'MB when ready',
  idleMb: 'MB idle',
  loadedMb: 'MB loaded',
  peakMb: 'MB at most',
  loadedCpuMicros: 'µs of CPU a decision',
} as const;
type Figures = Record<keyof typeof FIGURES, number>;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    'idle-seconds': { type: 'string', default: '10' },
    decisions: { type: 'string', default: '6000' },
    only: { type: 'string', default: CONFIGURATIONS.join() },
    against: { type: 'string' },
    'node-options': { type: 'string' },
    json: { type: 'string' },
  },
});
const [rounds, idleMs, decisions] = [
  Number(values.rounds),
  Number(values['idle-seconds']) * 1000,
  Number(values.decisions),
];
const checkouts = values.against === undefined ? [ROOT] : [ROOT, resolve(values.against)];
const wanted = CONFIGURATIONS.filter((each) => values.only.split(',').includes(each));

let misses = 0;
const processes = new BenchProcesses();
const directory = mkdtempSync(join(tmpdir(), 'riskgate-start-'));
processes.teardown(() => rmSync(directory, { recursive: true, force: true }));
try {
  await measure();
} finally {
  await processes.end();
}

/** Takes all checkouts and configurations in turns, and prints a table for each. */
async function measure(): Promise<void> {
  const before = readMachine();
  const emulators = await processes.start({ script: 'bench/servers/emulators.ts', announces: true });
  const apiKeys = join(directory, 'api-keys.yaml');
  const keys = [{ id: 'bench', sha256: hash('sha256', API_KEY), scopes: ['decide', 'read'] }];
  writeFileSync(apiKeys, JSON.stringify({ keys }), { mode: 0o600 });
  const env = {
    ...emulatorEnvironment(PROVIDERS, `http://127.0.0.1:${emulators.port}`),
    API_KEYS_FILE: apiKeys,
    ID_HASH_KEY: 'a-secret-of-the-benchmark-0123456789abcdef',
    HOST: '127.0.0.1',
    // A machine that is busy otherwise is no reason to turn the load away.
    EVENT_LOOP_DELAY_MAX_MS: '0',
    PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
  };
  const seen = new Map<string, Figures[]>();
  // The first round fills the cache of compiled code, and is not counted.
  for (let round = -1; round < rounds; round += 1) {
    for (const root of checkouts) {
      for (const configuration of wanted) {
        const figures = await startOnce(root, configuration, env, round);
        if (misses > 0) console.log(`${misses} decisions lacked evidence`);
        misses = 0;
        const name = root === ROOT ? configuration : `${configuration}, ${root}`;
        if (round >= 0) seen.set(name, [...(seen.get(name) ?? []), figures]);
      }
    }
  }
  for (const [name, all] of seen) print(name, all);
  console.log(`load average ${before.load.toFixed(1)} before, ${readMachine().load.toFixed(1)} after`);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify([...seen]));
}

/** One start of the service as `npm start` has it, and what it takes. */
async function startOnce(
  root: string,
  configuration: Configuration,
  common: Readonly<Record<string, string>>,
  round: number,
): Promise<Figures> {
  const port = await findFreePort();
  const history = join(directory, `history-${round}-${checkouts.indexOf(root)}`);
  mkdirSync(history, { mode: 0o700 });
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  const startedAtMs = performance.now();
  const child = spawn('sh', ['-c', scripts.start], {
    cwd: root,
    env: {
      ...common,
      PORT: String(port),
      ...(values['node-options'] !== undefined && { NODE_OPTIONS: values['node-options'] }),
      NODE_COMPILE_CACHE: join(directory, `compiled-${checkouts.indexOf(root)}`),
      ...(configuration === 'history' && { DATA_DIR: history }),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  const pid = child.pid ?? 0;
  try {
    await waitUntilReady(port, () => child.exitCode !== null);
    const readyMs = performance.now() - startedAtMs;
    const [readyCpuMs, readyMb] = [cpuMs(pid), residentMb(pid, 'VmRSS')];
    const connection = await LoadConnection.open(port);
    const firstMs = await ask(connection, port, 0);
    connection.close();
    await delay(idleMs);
    const [idleMb, cpuBefore] = [residentMb(pid, 'VmRSS'), cpuMs(pid)];
    await load(port);
    return {
      readyMs,
      readyCpuMs,
      firstMs,
      readyMb,
      idleMb,
      loadedMb: residentMb(pid, 'VmRSS'),
      peakMb: residentMb(pid, 'VmHWM'),
      loadedCpuMicros: ((cpuMs(pid) - cpuBefore) * 1000) / decisions,
    };
  } finally {
    child.kill('SIGTERM');
    await ended;
    rmSync(history, { recursive: true, force: true });
  }
}

async function waitUntilReady(port: number, hasEnded: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + START_WAIT_MS;
  while (performance.now() < deadlineMs) {
    if (hasEnded()) throw new Error('the service did not start');
    try {
      if ((await fetch(`http://127.0.0.1:${port}/readyz`)).ok) return;
    } catch {
      // Nothing listens yet.
    }
    await delay(POLL_MS);
  }
  throw new Error(`the service was not ready in ${START_WAIT_MS} ms`);
}

/** Asks for decisions about the same few subjects, a few at once. */
async function load(port: number): Promise<void> {
  let next = 0;
  const work = async () => {
    const connection = await LoadConnection.open(port);
    for (let place = next++; place < decisions; place = next++) await ask(connection, port, place);
    connection.close();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
}

/** How long one decision took. Counts those that are not an ALLOW, because a provider was late. */
function ask(connection: LoadConnection, port: number, place: number): Promise<number> {
  const body = toBody(0, String(WARM_IDS.first + (place % WARM_IDS.count)));
  const head = [
    'POST /v1/decide HTTP/1.1',
    `host: 127.0.0.1:${port}`,
    `authorization: Bearer ${API_KEY}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ].join('\r\n');
  const { promise, resolve: settle, reject } = Promise.withResolvers<number>();
  const sentAtMs = performance.now();
  connection.send(Buffer.from(`${head}\r\n\r\n${body}`), (response) => {
    if (response instanceof Error) reject(response);
    else if (response.status !== 200) reject(new Error(response.message.toString('utf8')));
    else {
      if (!response.message.includes('"decision":"ALLOW"')) misses += 1;
      settle(performance.now() - sentAtMs);
    }
  });
  return promise;
}

/** User and system time of a process and all its threads. */
function cpuMs(pid: number): number {
  // What comes before is the name of the program, in brackets.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

function residentMb(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / 1e6;
}

function print(name: string, all: readonly Figures[]): void {
  console.log(`\n${name}`);
  for (const [figure, title] of Object.entries(FIGURES)) {
    const spread = toSpread(all.map((each) => each[figure as keyof Figures]));
    const [middle, least, most] = [spread.median, spread.min, spread.max].map((each) => each.toFixed(0));
    console.log(`  ${title.padEnd(26)} ${middle?.padStart(6)}  (${least} to ${most})`);
  }
}
