/**
 * `node bench/sinks.ts`: what a record costs in each sink that lasts, in bytes and in CPU of the service and
 * of the server. `--records=50000`, `--sinks=sqlite,postgres,kafka,redis,file`. Prints a table in Markdown.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { DecisionRecord, LogRecord } from '../src/domain/decision-log/decision-record.ts';
import { toRfc3339 } from '../src/platform/rfc3339.ts';
import type { OpenSink, SinkContext, SinkDefinition } from '../src/stores/decision-log/definition.ts';
import { memory } from '../src/stores/decision-log/memory/index.ts';
import { parseServerUrl } from '../src/stores/decision-log/postgres/server-address.ts';
import { SINKS } from '../src/stores/decision-log/registry.ts';
import { createRedisHandle } from '../src/stores/redis/handle.ts';
import { uuidAt } from '../test/support/decision-records.ts';
import { startKafkaServer } from '../test/support/kafka-server.ts';
import { openSink } from '../test/support/open-sink.ts';
import { startPostgresServer } from '../test/support/postgres-server.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import { toRedisTarget } from '../test/support/redis-target.ts';
import { createTestApp } from '../test/support/test-app.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '50000' },
    sinks: { type: 'string', default: 'sqlite,postgres,kafka,redis,file' },
  },
});
const RECORDS = Number(values.records);
/** What `lossy` delivery puts together under load. */
const BATCH = 256;
/** The share that is written before it is measured. */
const WARM_SHARE = 0.1;
const DAY_MS = 86_400_000;
const HASH_BYTES = 16;
const SUBJECTS = 5000;
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** A sink that is measured, and its server. */
interface Measured {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly context?: Partial<SinkContext>;
  /** The processes of the server; none without one. */
  pids(): readonly number[];
  bytes(): number | Promise<number>;
}

const teardowns: (() => unknown)[] = [];
const t = { teardown: (handler: () => unknown) => void teardowns.push(handler) };
const directory = mkdtempSync(join(tmpdir(), 'riskgate-sinks-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

const PREPARE: Readonly<Record<string, () => Promise<Measured>>> = {
  sqlite: async () => {
    const path = join(directory, 'sqlite');
    mkdirSync(path);
    return {
      settings: { dataDirectory: path, retentionMs: 90 * DAY_MS, labelledKeptMs: 0, bytesMax: 2 ** 40 },
      pids: () => [],
      bytes: () => bytesBelow(path),
    };
  },
  file: async () => {
    const path = join(directory, 'decisions.ndjson');
    return { settings: { path }, pids: () => [], bytes: () => statSync(path).size };
  },
  postgres: async () => {
    const server = await startPostgresServer(t);
    const url = await server.createDatabase();
    const size =
      "SELECT sum(pg_total_relation_size(oid))::float8 AS bytes FROM pg_class WHERE relnamespace = 'riskgate'::regnamespace AND relkind IN ('r', 'm')";
    return {
      settings: {
        server: parseServerUrl(url),
        retentionMs: 90 * DAY_MS,
        labelledKeptMs: 0,
        bytesMax: 2 ** 40,
      },
      context: { newId: () => 'writer' },
      pids: () => [server.pid, ...childrenOf(server.pid)],
      bytes: async () =>
        (await server.query<{ bytes: number }>(size, new URL(url).pathname.slice(1)))[0]?.bytes ?? 0,
    };
  },
  kafka: async () => {
    const server = await startKafkaServer(t);
    await server.createTopic('bench', { partitions: 6 });
    return {
      settings: { brokers: server.brokers.split(','), topic: 'bench', compression: 'zstd', isTls: false },
      pids: () => server.nodes.map(({ pid }) => pid),
      bytes: () => bytesBelow(server.directory, (path) => path.includes('bench-') && path.endsWith('.log')),
    };
  },
  redis: async () => {
    const server = await startRedisServer(t);
    const openRedis = (name: string) =>
      createRedisHandle({ target: toRedisTarget(server.url, 'bench'), name, budgetMs: 10_000 });
    return {
      settings: { hourRecordsMax: 100_000_000, recordsKeptMs: DAY_MS },
      context: { openRedis },
      pids: () => [server.pid],
      bytes: async () => Number(/used_memory:(\d+)/.exec(await server.command('INFO memory'))?.[1]),
    };
  },
};

try {
  await run();
} finally {
  for (const teardown of teardowns.toReversed()) await teardown();
}

async function run(): Promise<void> {
  const records = createRecords(await takeRecords());
  const textBytes = Math.round(records.reduce((sum, one) => sum + JSON.stringify(one).length, 0) / RECORDS);
  console.log(`${RECORDS} records of ${textBytes} bytes in batches of ${BATCH}\n`);
  console.log(
    '| sink | bytes a record | CPU µs a record, service | of them on the event loop | server | records/s |',
  );
  console.log('|---|---|---|---|---|---|');
  for (const id of values.sinks.split(',')) console.log(await measure(id, records));
}

async function measure(id: string, records: readonly DecisionRecord[]): Promise<string> {
  const definition = SINKS.find((sink) => sink.id === id);
  const prepare = PREPARE[id];
  if (definition === undefined || prepare === undefined) throw new Error(`there is no sink ${id}`);
  const { settings, context, pids, bytes } = await prepare();
  const open = await openSink(t, definition, settings, { isStrict: false, ...context });
  const warm = Math.floor(records.length * WARM_SHARE);
  await append(open, records.slice(0, warm), 0);
  const bytesBefore = await bytes();
  const before = {
    us: cpuUs(process.cpuUsage()),
    loopUs: cpuUs(process.threadCpuUsage()),
    serverUs: sumUs(pids()),
  };
  const startMs = performance.now();
  await append(open, records.slice(warm), warm);
  const seconds = (performance.now() - startMs) / 1000;
  const count = records.length - warm;
  const each = (us: number) => (us / count).toFixed(0);
  const [all, loop, server] = [
    cpuUs(process.cpuUsage()) - before.us,
    cpuUs(process.threadCpuUsage()) - before.loopUs,
    sumUs(pids()) - before.serverUs,
  ];
  const size = Math.round(((await bytes()) - bytesBefore) / count);
  await open.close();
  return `| \`${id}\` | ${size} | ${each(all)} | ${each(loop)} | ${pids().length > 0 ? each(server) : ''} | ${(count / seconds).toFixed(0)} |`;
}

async function append({ sink }: OpenSink, records: readonly DecisionRecord[], first: number): Promise<void> {
  for (let from = 0; from < records.length; from += BATCH) {
    const batch = { number: first + from + 1, records: records.slice(from, from + BATCH) };
    while (!(await sink.append(batch)));
  }
}

/**
 * What the service records of subjects of several kinds, asked often enough to be in its cache: the records
 * themselves, which share what the service shares.
 */
async function takeRecords(): Promise<readonly DecisionRecord[]> {
  const taken: LogRecord[] = [];
  const app = await createTestApp(t, { env: { LOG_DECISIONS: 'off' }, sinks: [tap(memory, taken)] });
  for (let serial = 0; serial < 400; serial += 1) {
    const kind = ['allow', 'allow', 'allow', 'challenge', 'block', 'fault-slow-1'][serial % 6] ?? 'allow';
    const body = {
      telemetry_id: `${kind}-${serial % 40}`,
      device_id: 'active',
      account_id: `account-${serial % 40}`,
    };
    await app.decide({ ...body, ip: `203.0.113.${serial % 40}`, action: 'login' });
  }
  return taken.filter((record) => record.kind === 'decision');
}

/** The same sink, which also gives what it is given to a list. */
function tap(definition: SinkDefinition, taken: LogRecord[]): SinkDefinition {
  return {
    ...definition,
    open: async (settings, context) => {
      const opened = await definition.open(settings, context);
      const { sink } = opened;
      const append: typeof sink.append = (batch) => {
        taken.push(...batch.records);
        return sink.append(batch);
      };
      const { id, isDurable, isShared } = sink;
      return { ...opened, sink: { id, isDurable, isShared, append, close: () => sink.close() } };
    },
  };
}

/** As many of them with times of their own, each of one of a few thousand subjects. */
function createRecords(taken: readonly DecisionRecord[]): readonly DecisionRecord[] {
  if (taken.length === 0) throw new Error('the service has recorded nothing');
  const subjects = Array.from({ length: SUBJECTS }, () => [
    randomHash(),
    randomHash(),
    randomHash(),
    randomHash(),
  ]);
  const nowMs = Date.now();
  return Array.from({ length: RECORDS }, (_, serial) => {
    const record = taken[serial % taken.length] as DecisionRecord;
    const timeMs = nowMs - RECORDS + serial;
    const [telemetry = '', device = '', account = '', ip = ''] =
      subjects[Math.floor(Math.random() * SUBJECTS)] ?? [];
    return {
      ...record,
      decision_id: uuidAt(timeMs, serial),
      decided_at: toRfc3339(timeMs),
      request_id: randomHash(),
      latency_ms: Math.round(Math.random() * 10_000) / 100,
      subject: { ...record.subject, telemetry, devices: [device], account, ip, network: ip },
    };
  });
}

function randomHash(): string {
  return randomBytes(HASH_BYTES).toString('hex');
}

function cpuUs({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}

/** CPU time of other processes, by Linux. */
function sumUs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const ticks = Number(fields[11]) + Number(fields[12]);
    return sum + (ticks / TICKS_PER_SECOND) * 1_000_000;
  }, 0);
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').map(Number).filter(Boolean);
}

function bytesBelow(path: string, isCounted: (path: string) => boolean = () => true): number {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((name) => isCounted(name) && statSync(name).isFile())
    .reduce((sum, name) => sum + statSync(name).size, 0);
}
