import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import type { LogRecord } from '../../src/domain/decision-log/decision-record.ts';
import { assertClean, IDS } from '../support/canaries.ts';
import { startKafkaServer } from '../support/kafka-server.ts';
import { readTopic } from '../support/read-topic.ts';
import { startFaultLoad } from '../support/redis-fault-load.ts';
import { startRedisServer } from '../support/redis-server.ts';
import {
  askForDecision,
  createServiceEnvironment,
  patienceOf,
  SERVICE_KEY,
  startService,
} from '../support/start-service.ts';
import { portOf, startEmulators, until } from '../support/test-app.ts';

const PATIENT_MS = 10_000;
const emulators = await startEmulators(t);
const origin = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;
const server = await startKafkaServer(t);
const [node] = server.nodes;

let topics = 0;
async function createTopic(): Promise<string> {
  topics += 1;
  await server.createTopic(`test-${topics}`, { partitions: 3 });
  return `test-${topics}`;
}

/** The environment of a service that records to a topic. */
function environmentOf(topic: string, env: Readonly<Record<string, string>>): Record<string, string> {
  return {
    ...createServiceEnvironment(t, origin),
    ...patienceOf(PATIENT_MS),
    DECISION_LOG: 'kafka',
    KAFKA_BROKERS: server.brokers,
    KAFKA_TOPIC: topic,
    ...env,
  };
}

async function recordsIn(topic: string): Promise<readonly LogRecord[]> {
  return (await readTopic(server.brokers, topic)).map(({ value }) => JSON.parse(value) as LogRecord);
}

let serial = 0;
async function ask(
  at: string,
): Promise<{ readonly status: number; readonly id: string; readonly text: string }> {
  serial += 1;
  const response = await askForDecision(at, { telemetry_id: `allow-${serial}`, device_id: 'active' });
  const text = await response.text();
  const [, id = ''] = /"decision_id":"([^"]+)"/.exec(text) ?? [];
  return { status: response.status, id, text };
}

t.test('strict: refuses while the broker is away, and every answered decision is in the topic', async (t) => {
  const topic = await createTopic();
  const strict = { DECISION_LOG_DELIVERY: 'strict', DECISION_LOG_TIMEOUT_MS: '500' };
  const service = await startService(t, environmentOf(topic, strict));
  const answered = new Set<string>();
  const refused: string[] = [];
  const over = new AbortController();
  const asking = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (!over.signal.aborted) {
        const { status, id, text } = await ask(service.origin);
        if (status === 200) answered.add(id);
        else refused.push(`${status} ${text}`);
        // A refusal comes with a Retry-After.
        if (status !== 200) await delay(50);
      }
    }),
  );
  const more = () => {
    const before = answered.size;
    return until('more is answered', () => answered.size > before + 50);
  };
  await more();
  const before = refused.length;
  await node?.stop();
  await until('it refuses', () => refused.length > before + 20);
  const inOutage = answered.size;
  await until('it refuses on', () => refused.length > before + 60);
  t.equal(answered.size, inOutage, 'nothing is answered meanwhile');
  const readyz = (await (await fetch(`${service.origin}/readyz`)).json()) as object;
  t.match(readyz, { decision_log_failing: ['kafka'] });
  await node?.start();
  await more();
  over.abort();
  await asking;
  for (const one of refused) t.match(one, /^503 .*"decision_log_unavailable"/);
  const ids = (await recordsIn(topic)).map((record) =>
    record.kind === 'decision' ? record.decision_id : '',
  );
  t.strictSame(
    [...answered].filter((id) => !ids.includes(id)),
    [],
  );
  t.equal(new Set(ids).size, ids.length, 'and none is there twice');
  const { input } = await service.until(/decision_log\.kafka_recovered/);
  t.match(input, /"event":"decision_log\.kafka_failed","code":"ECONN/);
});

t.test('lossy: starts without a broker, answers, and records what it had to drop as a gap', async (t) => {
  const topic = await createTopic();
  await node?.stop();
  const service = await startService(t, environmentOf(topic, { DECISION_LOG_BUFFER_MAX: '50' }));
  const before = serial;
  await ask(service.origin);
  await service.until(/decision_log\.kafka_failed/);
  const asked = 200;
  for (let count = 0; count < asked; count += 1) t.equal((await ask(service.origin)).status, 200);
  await service.until(/decision_log\.dropped/);
  await node?.start();
  let records: readonly LogRecord[] = [];
  await until('all is told', async () => {
    // The gap is written before the record that follows it.
    await ask(service.origin);
    records = await recordsIn(topic);
    return records.some(({ kind }) => kind === 'gap');
  });
  service.child.kill('SIGTERM');
  t.equal((await service.ended).code, 0);
  records = await recordsIn(topic);
  const decided = records.filter(({ kind }) => kind === 'decision').length;
  const dropped = records.reduce((sum, record) => sum + (record.kind === 'gap' ? record.dropped : 0), 0);
  t.ok(dropped >= asked - 50 - 256, `${dropped} are told to be missing`);
  t.equal(decided + dropped, serial - before, 'every decision is there, or told to be missing');
});

t.test('decides right and in time while the broker is killed', async (t) => {
  const redis = await startRedisServer(t);
  const load = await startFaultLoad(t, {
    REDIS_URL: redis.url,
    DECISION_LOG: 'kafka',
    KAFKA_BROKERS: server.brokers,
    KAFKA_TOPIC: await createTopic(),
  });
  await load.run(t, {
    name: 'Kafka: killed',
    begin: () => node?.stop(),
    end: () => node?.start(),
  });
  await load.run(t, { name: 'Kafka: frozen', begin: () => node?.pause(), end: () => node?.resume() });
});

t.test('keeps identifiers out of the files of the broker', async (t) => {
  const topic = await createTopic();
  const service = await startService(t, environmentOf(topic, { KAFKA_COMPRESSION: 'none' }));
  for (const id of IDS) {
    const body = { telemetry_id: id, device_id: id, account_id: id, user_agent: id, ip: '203.0.113.97' };
    await askForDecision(service.origin, body);
  }
  await until('the records are there', async () => (await recordsIn(topic)).length >= IDS.length);
  const text = readdirSync(server.directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes(topic) && path.endsWith('.log'))
    .map((path) => readFileSync(join(server.directory, path), 'latin1'))
    .join('\n');
  t.match(text, '"kind":"decision"');
  t.notMatch(text, SERVICE_KEY);
  assertClean(t, text, 'the topic');
});
