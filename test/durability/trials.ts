import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createEmulatorServer } from '../../src/emulators/server.ts';
import { toHistoryDirectory } from '../../src/stores/decision-log/sqlite/history-directory.ts';
import { HistoryReader } from '../../src/stores/decision-log/sqlite/history-reader.ts';
import { startKafkaServer } from '../support/kafka-server.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { readTopic } from '../support/read-topic.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { createServiceEnvironment } from '../support/start-service.ts';
import { portOf } from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';
import { type KillLoopOptions, type KillLoopReport, runKillLoop } from './kill-loop.ts';
import { type Rotation, type RotationReport, runRotations } from './rotation.ts';

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

/** More records than any trial makes. */
const RECORDS_MAX = 1_000_000;

/** A server lives for some starts of the service. */
const SERVER_LIFE_MS_MAX = 15_000;
const TOPIC = 'decisions';

export type StrictSink = 'file' | 'sqlite' | 'postgres' | 'redis' | 'kafka';

/** Kills a service that logs strictly to one sink so many times; see runKillLoop. */
export async function runKillTrial(
  t: Teardown,
  sink: StrictSink,
  kills: number,
  random: () => number,
): Promise<KillLoopReport> {
  const { directory, env } = await prepareTrial(t, sink);
  if (sink === 'file') {
    const path = join(directory, 'decisions.ndjson');
    const readIds = async () => idsIn(readFileSync(path, 'utf8').split('\n').filter(isComplete));
    return runKillLoop({ kills, random, readIds, env: { ...env, DECISION_LOG_FILE: path } });
  }
  if (sink === 'sqlite') {
    const readIds = async () => idsIn(readHistory(directory));
    return runKillLoop({ kills, random, readIds, env: { ...env, DATA_DIR: directory } });
  }
  if (sink === 'postgres') return runPostgresTrial(t, { kills, random, env });
  if (sink === 'kafka') {
    const kafka = await startKafkaServer(t);
    await kafka.createTopic(TOPIC, { partitions: 3 });
    const readIds = async () => idsIn((await readTopic(kafka.brokers, TOPIC)).map(({ value }) => value));
    return runKillLoop({
      kills,
      random,
      readIds,
      env: { ...env, KAFKA_BROKERS: kafka.brokers, KAFKA_TOPIC: TOPIC },
    });
  }
  const redis = await startRedisServer(t);
  const readIds = async () => {
    const keys = (await redis.command('KEYS *:records'))
      .split('\r\n')
      .filter((line) => line.startsWith('riskgate'));
    const streams = await Promise.all(keys.map((key) => readStream(redis.url, key)));
    return idsIn(streams.flat());
  };
  return runKillLoop({ kills, random, readIds, env: { ...env, REDIS_URL: redis.url } });
}

/** PostgreSQL is killed and started again meanwhile, at other instants than the service. */
async function runPostgresTrial(
  t: Teardown,
  options: Pick<KillLoopOptions, 'kills' | 'random' | 'env'>,
): Promise<KillLoopReport> {
  const server = await startPostgresServer(t);
  const url = await server.createDatabase();
  const over = new AbortController();
  const killing = killAgain(server, options.random, over.signal);
  const readIds = async () => {
    over.abort();
    await killing;
    const rows = await server.query<{ body: string }>(
      'SELECT body FROM riskgate.entries',
      new URL(url).pathname.slice(1),
    );
    return idsIn(rows.map(({ body }) => body));
  };
  return runKillLoop({ ...options, readIds, env: { ...options.env, HISTORY_URL: url } });
}

async function killAgain(server: PostgresServer, random: () => number, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await delay(SERVER_LIFE_MS_MAX * random());
    await server.restart();
  }
}

/** Takes the file of a service that logs strictly away so many times; see runRotations. */
export async function runRotationTrial(
  t: Teardown,
  rotation: Rotation,
  times: number,
  random: () => number,
): Promise<RotationReport> {
  const { directory, env } = await prepareTrial(t, 'file');
  return runRotations(t, { rotation, times, random, env, directory });
}

/**
 * What every trial has of its own: emulators, a directory, and the environment of a service that logs
 * strictly.
 */
async function prepareTrial(
  t: Teardown,
  sink: StrictSink,
): Promise<{ readonly directory: string; readonly env: Record<string, string> }> {
  const emulators = createEmulatorServer({ providers: VENDORS, options: {} });
  t.teardown(() => emulators.app.close());
  await emulators.app.listen({ port: 0, host: '127.0.0.1' });
  const origin = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-durability-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const env = {
    ...createServiceEnvironment(t, origin),
    // Every start compiles the same files.
    NODE_COMPILE_CACHE: join(directory, 'compiled'),
    EVENT_LOOP_DELAY_MAX_MS: '0',
    DECISION_LOG: sink,
    DECISION_LOG_DELIVERY: 'strict',
    DECISION_LOG_TIMEOUT_MS: '10000',
  };
  return { directory, env };
}

/** The last line of the file may be torn: the service cuts it off when it starts again. */
function isComplete(line: string): boolean {
  return line.startsWith('{') && line.endsWith('}');
}

function idsIn(lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.map((line) => (JSON.parse(line) as { decision_id: string }).decision_id));
}

/** Every record of a history, read by the code that reads it in the service. */
function readHistory(dataDirectory: string): string[] {
  const reader = new HistoryReader(toHistoryDirectory(dataDirectory));
  const texts: string[] = [];
  for (const segment of reader.all())
    texts.push(...segment.textsAbove(0, RECORDS_MAX).map(([, text]) => text));
  reader.close();
  return texts;
}

async function readStream(url: string, key: string): Promise<string[]> {
  const { Redis } = await import('ioredis');
  const client = new Redis(url);
  const entries = await client.xrange(key, '-', '+');
  client.disconnect();
  return entries.map(([, [, text = '']]) => text);
}
