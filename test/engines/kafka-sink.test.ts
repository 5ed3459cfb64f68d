import { randomBytes } from 'node:crypto';
import t from 'tap';
import { idOf, type LogRecord } from '../../src/domain/decision-log/decision-record.ts';
import { kafka } from '../../src/stores/decision-log/kafka/index.ts';
import { testDecisionSink } from '../contracts/decision-log.ts';
import { createDecisionRecord, createGapRecord } from '../support/decision-records.ts';
import { startKafkaServer } from '../support/kafka-server.ts';
import { createLineLog } from '../support/line-log.ts';
import { openSink } from '../support/open-sink.ts';
import { readTopic } from '../support/read-topic.ts';
import { until } from '../support/test-app.ts';

const TIME_MS = Date.parse('2026-07-28T12:00:00Z');
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]+$/;
/** By the number that a block of messages has. */
const ZSTD = 4;
const JAVA_PARTITIONS = [2, 2, 0];
const server = await startKafkaServer(t, { isProxied: true });
const PLAIN = { brokers: server.brokers.split(','), compression: 'zstd', isTls: false } as const;

const recordOf = (serial: number) => {
  const device = serial.toString(16).padStart(32, '0');
  return createDecisionRecord(TIME_MS, serial, {
    subject: { telemetry: null, devices: [device], account: null },
  });
};

let topics = 0;
/** Records of one partition are in order. */
async function createTopic(options: Parameters<typeof server.createTopic>[1] = {}): Promise<string> {
  topics += 1;
  const name = `test-${topics}`;
  await server.createTopic(name, options);
  return name;
}

t.test('the kafka sink keeps the contract', async (t) => {
  await testDecisionSink(t, {
    id: 'kafka',
    open: async (t) => {
      const topic = await createTopic();
      const { sink } = await openSink(t, kafka, { ...PLAIN, topic });
      const held = async () =>
        (await readTopic(server.brokers, topic)).map(({ value }) => JSON.parse(value) as LogRecord);
      return { sink, held };
    },
  });
});

t.test('keeps a batch once whose answers are lost, in all partitions', async (t) => {
  const topic = await createTopic({ partitions: 3 });
  const brokers = [`127.0.0.1:${server.proxy?.port}`];
  const { sink } = await openSink(t, kafka, { ...PLAIN, brokers, topic });
  const records = Array.from({ length: 90 }, (_, serial) => recordOf(serial));
  t.equal(await sink.append({ number: 1, records: records.slice(0, 30) }), true);
  const lost = server.proxy?.loseAnswers(4);
  t.equal(await sink.append({ number: 2, records: records.slice(30, 60) }), true);
  await lost;
  t.equal(await sink.append({ number: 3, records: records.slice(60) }), true);
  const held = await readTopic(server.brokers, topic);
  t.equal(new Set(held.map(({ partition }) => partition)).size, 3);
  t.strictSame(new Set(held.map(({ headers }) => headers['id'])), new Set(records.map(idOf)));
  t.equal(held.length, records.length, 'and none is there twice');
});

t.test('keeps a batch once that is appended again before its answer is there', async (t) => {
  const topic = await createTopic();
  const [node] = server.nodes;
  const { sink } = await openSink(t, kafka, { ...PLAIN, topic }, { timeoutMs: 300 });
  t.teardown(() => node?.resume());
  await until('the sink writes', async () => sink.append({ number: 1, records: [] }));
  node?.pause();
  const batch = { number: 2, records: [recordOf(1), recordOf(2)] };
  t.equal(await sink.append(batch), false);
  t.equal(await sink.append(batch), false);
  // What the paused broker has received is not known to be kept, and nothing is written beside it.
  t.equal(await sink.append({ number: 3, records: [recordOf(3)] }), false);
  node?.resume();
  await until('the next batch is kept', async () => sink.append({ number: 4, records: [recordOf(4)] }));
  const held = await readTopic(server.brokers, topic);
  t.strictSame(
    held.map(({ headers }) => headers['id']),
    [1, 2, 4].map((serial) => idOf(recordOf(serial))),
  );
});

t.test('is keyed by the account, else by the device, else by the telemetry id', async (t) => {
  const topic = await createTopic({ partitions: 5 });
  const { sink } = await openSink(t, kafka, { ...PLAIN, topic });
  const [telemetry, device, account] = ['a'.repeat(32), 'b'.repeat(32), 'c'.repeat(32)];
  const subjects = [
    { telemetry, devices: [device, 'd'.repeat(32)], account },
    { telemetry, devices: [device, 'd'.repeat(32)], account: null },
    { telemetry, devices: [], account: null },
    { telemetry: null, devices: [], account: null },
  ];
  const records = [
    ...subjects.map((subject, serial) => createDecisionRecord(TIME_MS, serial, { subject })),
    createGapRecord(TIME_MS, 9),
  ];
  t.equal(await sink.append({ number: 1, records }), true);
  const held = new Map((await readTopic(server.brokers, topic)).map((one) => [one.headers['id'], one]));
  const keys = records.map((record) => held.get(idOf(record))?.key);
  t.strictSame(keys, [account, device, telemetry, null, null]);
  // What Kafka's own `Utils.toPositive(Utils.murmur2(key)) % 5` is for these keys.
  const partitions = records.slice(0, 3).map((record) => held.get(idOf(record))?.partition);
  t.strictSame(partitions, JAVA_PARTITIONS);
});

t.test('says kind, id and version in headers, and when it was decided', async (t) => {
  const topic = await createTopic();
  const { sink } = await openSink(t, kafka, { ...PLAIN, topic });
  const [decision, gap] = [recordOf(1), createGapRecord(TIME_MS, 2)];
  t.equal(await sink.append({ number: 1, records: [decision, gap] }), true);
  const held = await readTopic(server.brokers, topic);
  t.match(held, [
    { headers: { kind: 'decision', id: decision.decision_id, schema_version: '1' }, timeMs: TIME_MS },
    { headers: { kind: 'gap', id: gap.gap_id, schema_version: '1' }, timeMs: TIME_MS },
  ]);
  t.strictSame(new Set(held.map(({ compression }) => compression)), new Set([ZSTD]));
});

for (const [number, compression] of ['none', 'gzip', 'snappy', 'lz4'].entries()) {
  t.test(`compresses with ${compression}`, async (t) => {
    const topic = await createTopic();
    const { sink } = await openSink(t, kafka, { ...PLAIN, topic, compression });
    t.equal(await sink.append({ number: 1, records: [recordOf(1)] }), true);
    const [message] = await readTopic(server.brokers, topic);
    t.strictSame(JSON.parse(message?.value ?? ''), recordOf(1));
    t.equal(message?.compression, number);
  });
}

t.test('says that the topic is not there, makes none, and finds it once it is', async (t) => {
  const log = createLineLog();
  const topic = 'test-later';
  const { sink } = await openSink(t, kafka, { ...PLAIN, topic }, { timeoutMs: 300, logger: log.logger });
  const batch = { number: 1, records: [recordOf(1)] };
  t.equal(await sink.append(batch), false);
  await until('the reason is told', async () => {
    await sink.append(batch);
    return log.lines().some(({ code }) => code === 'UNKNOWN_TOPIC_OR_PARTITION');
  });
  await server.createTopic(topic);
  await until('the batch is kept', () => sink.append(batch));
  t.equal((await readTopic(server.brokers, topic)).length, 1);
  t.match(log.lines().at(-1), { event: 'decision_log.kafka_recovered' });
});

const LONG = createDecisionRecord(TIME_MS, 7, { engine: randomBytes(30_000).toString('base64') });

t.test('tells in strict mode that a record is too large for the topic, and keeps the others', async (t) => {
  const log = createLineLog();
  const topic = await createTopic({ configs: { 'max.message.bytes': '20000' } });
  const { sink } = await openSink(t, kafka, { ...PLAIN, topic }, { logger: log.logger });
  const batch = { number: 1, records: [recordOf(1), LONG, recordOf(2)] };
  t.equal(await sink.append(batch), false);
  t.equal(await sink.append(batch), false);
  t.equal(await sink.append({ number: 2, records: [recordOf(3)] }), true);
  const held = await readTopic(server.brokers, topic);
  t.strictSame(
    held.map(({ headers }) => headers['id']),
    [1, 2, 3].map((serial) => idOf(recordOf(serial))),
  );
  t.match(log.lines(), [{ event: 'decision_log.kafka_refused', code: 'MESSAGE_TOO_LARGE', records: 1 }]);
});

t.test('puts a gap in the place of a record that is too large, where no answer waits', async (t) => {
  const log = createLineLog();
  const topic = await createTopic({ configs: { 'max.message.bytes': '20000' } });
  const context = { logger: log.logger, isStrict: false };
  const { sink } = await openSink(t, kafka, { ...PLAIN, topic }, context);
  t.equal(await sink.append({ number: 1, records: [recordOf(1), LONG, recordOf(2)] }), true);
  const held = (await readTopic(server.brokers, topic)).map(({ value }) => JSON.parse(value) as unknown);
  const time = LONG.decided_at;
  t.match(held, [
    recordOf(1),
    { kind: 'gap', version: 1, sink: 'kafka', dropped: 1, from: time, until: time, gap_id: UUID },
    recordOf(2),
  ]);
  t.match(log.lines(), [{ event: 'decision_log.kafka_refused', code: 'MESSAGE_TOO_LARGE', records: 1 }]);
});

t.test('starts without a broker, says why it cannot write, and writes when there is one', async (t) => {
  const log = createLineLog();
  const topic = await createTopic();
  const [node] = server.nodes;
  await node?.stop();
  const { sink } = await openSink(t, kafka, { ...PLAIN, topic }, { timeoutMs: 300, logger: log.logger });
  const batch = { number: 1, records: [recordOf(1)] };
  await until('the reason is told', async () => {
    t.equal(await sink.append(batch), false);
    return log.lines().some(({ code }) => code === 'ECONNREFUSED');
  });
  await node?.start();
  await until('the batch is kept', () => sink.append(batch));
  t.equal((await readTopic(server.brokers, topic)).length, 1);
});
