/**
 * `node bench/sustain.ts`: whether a service with its history in SQLite holds a rate, beside the load on the same
 * cores: `--per-second=5000` decisions about `--subjects=5000` for `--seconds=60`, and the last half of the time
 * questions of analysts too. Prints records written and dropped, latencies, how long the event loop was held, CPU and
 * memory, in turns of ten seconds. Ends with code 1 where a record was dropped or an answer was wrong.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { startSqliteService } from './fleet.ts';
import { type LoadResult, loadResultSchema } from './load/job.ts';
import { readMachine, toMachineLines } from './machine-report.ts';
import { fillCaches } from './probe.ts';
import { type BenchProcess, BenchProcesses } from './processes.ts';
import { quantile } from './statistics.ts';
import { API_KEY, toLoadJob, VARIANTS } from './variants.ts';

const { values } = parseArgs({
  options: {
    'per-second': { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '60' },
    subjects: { type: 'string', default: '5000' },
    connections: { type: 'string', default: '32' },
  },
});
const PER_SECOND = Number(values['per-second']);
const TURNS = Math.max(2, Math.round(Number(values.seconds) / 10));
const TURN_SECONDS = Number(values.seconds) / TURNS;
/** Until V8 has optimised the path of a decision. */
const WARM_UP_SECONDS = 10;
/** How long the writer has, after the last decision, for what waits. */
const DRAIN_MS = 15_000;
const QUESTION_EVERY_MS = 200;
const REFUSED = 503;
const QUESTIONS = [
  '/v1/decisions?decision=ALLOW&limit=100',
  '/v1/stats?window=1h&group_by=reason',
  '/v1/stats?window=24h&group_by=country,rule&decision=ALLOW&distinct=true',
  '/v1/decisions?account_id=acct-00000007&limit=100',
  '/v1/stats/rules?window=24h',
];

/** What the service says of itself, by the probe in it. */
const stateSchema = z.object({
  micros: z.number(),
  loopMicros: z.number(),
  residentBytes: z.number(),
  loopMaxMs: z.number(),
  loopP99Ms: z.number(),
});
type State = z.output<typeof stateSchema>;

interface Records {
  readonly appended: number;
  readonly dropped: number;
}

const processes = new BenchProcesses();
try {
  await run();
} finally {
  await processes.end();
}
process.exit();

async function run(): Promise<void> {
  const before = readMachine();
  const { emulators, running, dataDirectory } = await startSqliteService(processes);
  const { server, port } = running;
  const variant = VARIANTS.find(({ id }) => id === 'log-sqlite');
  if (variant === undefined) throw new Error('there is no such variant');
  const serials = { first: 0, count: Number(values.subjects) };
  const loaded = { ...variant, ...running, serials, isOther: false };
  await fillCaches(loaded);
  const generator = await processes.start({ script: 'bench/load/generator.ts', announces: true });
  await generator.ask('open', z.unknown(), toLoadJob(loaded, Number(values.connections), 0));
  await load(generator, WARM_UP_SECONDS);
  await drain(port);
  const [callsBefore, recordsBefore, bytesBefore] = [
    await emulators.ask('calls', z.int()),
    await readRecords(port),
    bytesBelow(dataDirectory),
  ];
  console.log(
    `${PER_SECOND} decisions/s for ${values.seconds} s about ${values.subjects} subjects, ${values.connections} connections\n`,
  );
  console.log(
    '| turn | answers/s | p50 ms | p99 ms | written/s | dropped | waiting | loop p99/max ms | cores: loop, all, load | RSS MB |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|');
  let failures = 0;
  const asked: number[] = [];
  for (let turn = 1; turn <= TURNS; turn += 1) {
    const isRead = turn > TURNS / 2;
    const reading = new AbortController();
    const reads = isRead ? askQuestions(port, reading.signal) : Promise.resolve([]);
    const result = await measureTurn({ server, generator, port, turn, isRead });
    reading.abort();
    asked.push(...(await reads));
    failures += result.failures;
  }
  await drain(port);
  const records = await readRecords(port);
  const [written, dropped] = [
    records.appended - recordsBefore.appended,
    records.dropped - recordsBefore.dropped,
  ];
  const answered = asked.filter((ms) => !Number.isNaN(ms));
  const calls = (await emulators.ask('calls', z.int())) - callsBefore;
  console.log(
    `\n${written} records written, ${dropped} dropped; ${((bytesBelow(dataDirectory) - bytesBefore) / written).toFixed(0)} bytes each; ${calls} calls of providers; ${failures} wrong answers.`,
  );
  console.log(
    `${asked.length} questions of analysts, one after the other, ${asked.length - answered.length} refused: p50 ${quantile(answered, 0.5).toFixed(0)}, p95 ${quantile(answered, 0.95).toFixed(0)} ms.`,
  );
  const about = toMachineLines(before, readMachine(), []);
  console.log(about.filter((line) => !line.startsWith('The load generator')).join('\n'));
  if (dropped > 0 || failures > 0) process.exitCode = 1;
}

interface Turn {
  readonly server: BenchProcess;
  readonly generator: BenchProcess;
  readonly port: number;
  readonly turn: number;
  readonly isRead: boolean;
}

async function measureTurn({ server, generator, port, turn, isRead }: Turn): Promise<LoadResult> {
  const [before, recordsBefore] = [await readState(server), await readRecords(port)];
  const generatorBefore = await generator.cpuMicros();
  const result = await load(generator, TURN_SECONDS);
  const [after, records] = [await readState(server), await readRecords(port)];
  const { seconds, requests, latencies } = result;
  const cores = (micros: number) => (micros / 1e6 / seconds).toFixed(2);
  const times = latencies.map(([, ms]) => ms);
  const cells = [
    `${turn}${isRead ? ', read' : ''}`,
    (requests / seconds).toFixed(0),
    quantile(times, 0.5).toFixed(1),
    quantile(times, 0.99).toFixed(1),
    ((records.appended - recordsBefore.appended) / seconds).toFixed(0),
    records.dropped - recordsBefore.dropped,
    await readWaiting(port),
    `${after.loopP99Ms.toFixed(1)}/${after.loopMaxMs.toFixed(1)}`,
    [
      after.loopMicros - before.loopMicros,
      after.micros - before.micros,
      (await generator.cpuMicros()) - generatorBefore,
    ]
      .map(cores)
      .join(', '),
    (after.residentBytes / 1e6).toFixed(0),
  ];
  console.log(`| ${cells.join(' | ')} |`);
  return result;
}

function load(generator: BenchProcess, seconds: number): Promise<LoadResult> {
  return generator.ask('run', loadResultSchema, { seconds, isTimed: true, perSecond: PER_SECOND });
}

/** Since it was asked last. */
function readState(server: BenchProcess): Promise<State> {
  return server.ask('state', stateSchema);
}

/** Milliseconds of each answer; NaN for one that was refused. */
async function askQuestions(port: number, signal: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  for (let place = 0; !signal.aborted; place += 1) {
    const startedMs = performance.now();
    const isAnswered = await ask(port, QUESTIONS[place % QUESTIONS.length] ?? '');
    times.push(isAnswered ? performance.now() - startedMs : Number.NaN);
    await delay(QUESTION_EVERY_MS);
  }
  return times;
}

/** False where the question was refused, since decisions come first. */
async function ask(port: number, path: string): Promise<boolean> {
  const response = await request(port, path);
  await response.arrayBuffer();
  if (!response.ok && response.status !== REFUSED) throw new Error(`${path}: ${response.status}`);
  return response.ok;
}

function request(port: number, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${API_KEY}` } });
}

async function get(port: number, path: string): Promise<string> {
  const response = await request(port, path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.text();
}

async function readRecords(port: number): Promise<Records> {
  const metrics = await get(port, '/metrics');
  const of = (result: string) =>
    readMetric(metrics, `riskgate_decision_log_records_total{sink="sqlite",result="${result}"}`);
  return { appended: of('appended'), dropped: of('dropped') };
}

async function readWaiting(port: number): Promise<number> {
  return readMetric(await get(port, '/metrics'), 'riskgate_decision_log_waiting{sink="sqlite"}');
}

function readMetric(metrics: string, name: string): number {
  const line = metrics.split('\n').find((one) => one.startsWith(`${name} `));
  if (line === undefined) throw new Error(`there is no metric ${name}`);
  return Number(line.slice(name.length));
}

async function drain(port: number): Promise<void> {
  const untilMs = performance.now() + DRAIN_MS;
  while ((await readWaiting(port)) > 0 && performance.now() < untilMs) await delay(100);
}

function bytesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(directory, name)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}
