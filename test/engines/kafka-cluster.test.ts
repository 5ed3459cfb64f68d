import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { idOf } from '../../src/domain/decision-log/decision-record.ts';
import { kafka } from '../../src/stores/decision-log/kafka/index.ts';
import { createDecisionRecord } from '../support/decision-records.ts';
import { startKafkaServer } from '../support/kafka-server.ts';
import { createLineLog } from '../support/line-log.ts';
import { openSink } from '../support/open-sink.ts';
import { readTopic } from '../support/read-topic.ts';
import { until } from '../support/test-app.ts';

const TOPIC = 'decisions';
const server = await startKafkaServer(t, { nodes: 3 });
await server.createTopic(TOPIC, {
  partitions: 6,
  replicas: 3,
  configs: { 'min.insync.replicas': '2' },
});
const SETTINGS = { brokers: server.brokers.split(','), compression: 'zstd', isTls: false, topic: TOPIC };

let serial = 0;
function recordsOf(count: number) {
  return Array.from({ length: count }, () => {
    serial += 1;
    const devices = [serial.toString(16).padStart(32, '0')];
    return createDecisionRecord(Date.now(), serial, { subject: { telemetry: null, devices, account: null } });
  });
}

/** A sink whose topic needs all three replicas. */
async function startNeedy(t: Test) {
  const topic = 'needs-all';
  await server.createTopic(topic, { replicas: 3, configs: { 'min.insync.replicas': '3' } });
  const log = createLineLog();
  const { sink } = await openSink(t, kafka, { ...SETTINGS, topic }, { timeoutMs: 500, logger: log.logger });
  const batch = { number: 1, records: recordsOf(1) };
  return {
    expectRefusal: async () => {
      await until('the reason is told', async () => {
        t.equal(await sink.append(batch), false, 'takes nothing while too few replicas are there');
        return log.lines().some(({ code }) => String(code).startsWith('NOT_ENOUGH_REPLICAS'));
      });
    },
    expectKept: async () => {
      await until('the batch is kept', async () => sink.append(batch));
      t.equal((await readTopic(server.brokers, topic)).length, 1, 'and then takes it once');
    },
  };
}

t.test('keeps every record once while one broker after the other is killed and comes back', async (t) => {
  const { sink } = await openSink(t, kafka, SETTINGS, { timeoutMs: 500 });
  const kept: string[] = [];
  const over = new AbortController();
  const appending = (async () => {
    for (let number = 1; !over.signal.aborted; number += 1) {
      const records = recordsOf(20);
      // As a lossy delivery does: the same batch until it is kept.
      while (!(await sink.append({ number, records }))) await delay(20);
      kept.push(...records.map(idOf));
    }
  })();
  const untilMore = () => {
    const before = kept.length;
    return until('more is kept', () => kept.length > before + 200);
  };
  const needy = await startNeedy(t);
  for (const node of server.nodes.slice(0, 2)) {
    await untilMore();
    await node.stop();
    await untilMore();
    if (node === server.nodes[0]) await needy.expectRefusal();
    await node.start();
  }
  await needy.expectKept();
  await untilMore();
  over.abort();
  await appending;
  const held = (await readTopic(server.brokers, TOPIC)).map(({ headers }) => headers['id'] ?? '');
  t.strictSame(new Set(held), new Set(kept));
  t.equal(held.length, kept.length, 'and none is there twice');
  t.comment(`${kept.length} records`);
});
