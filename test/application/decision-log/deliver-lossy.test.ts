import t, { type Test } from 'tap';
import type { LogBatch } from '../../../src/application/decision-log/decision-log.ts';
import {
  createDirectDelivery,
  createLossyDelivery,
} from '../../../src/application/decision-log/deliver-lossy.ts';
import { idOf } from '../../../src/domain/decision-log/decision-record.ts';
import { toRfc3339 } from '../../../src/platform/rfc3339.ts';
import { createDecisionRecord } from '../../support/decision-records.ts';
import { createManualClock, until } from '../../support/test-app.ts';
import { createWatchedSink, type WatchedSink } from './log-sinks.ts';

const START_MS = Date.UTC(2026, 0, 1, 12);
const record = (serial: number) => createDecisionRecord(START_MS, serial);

function open(t: Test, sink: WatchedSink, bufferMax = 1000) {
  const clock = createManualClock(START_MS);
  const drops: (readonly [string, number])[] = [];
  const delivery = createLossyDelivery({
    sink,
    bufferMax,
    clock,
    newId: () => 'gap-id',
    formatTime: toRfc3339,
    onDrop: (id, count) => drops.push([id, count]),
  });
  t.teardown(() => delivery.close());
  return { delivery, clock, drops };
}

/** The kinds and ids of what a batch holds. */
function contents({ records }: LogBatch): string[] {
  return records.map((each) => (each.kind === 'gap' ? `gap of ${each.dropped}` : idOf(each).slice(-2)));
}

t.test('is behind where more than half of its buffer waits, unless its sink fails', async (t) => {
  let isTaken = Promise.withResolvers<boolean>();
  const { delivery } = open(
    t,
    createWatchedSink(() => isTaken.promise),
    10,
  );
  // The first ones are on their way.
  delivery.deliver(record(0));
  await until('a batch', () => delivery.usage().waiting === 0);
  for (let serial = 1; serial <= 5; serial += 1) delivery.deliver(record(serial));
  t.equal(delivery.isBehind(), false);
  delivery.deliver(record(6));
  t.equal(delivery.isBehind(), true);
  const failing = isTaken;
  isTaken = Promise.withResolvers();
  failing.resolve(false);
  await until('a failure', () => delivery.usage().failures === 1);
  t.equal(delivery.isBehind(), false, 'to read less would not help');
  isTaken.resolve(true);
  await until('all is written', () => delivery.usage().waiting === 0);
  t.equal(delivery.isBehind(), false);
  t.equal(createDirectDelivery(createWatchedSink()).isBehind(), false);
});

t.test('gathers records into batches', async (t) => {
  const sink = createWatchedSink();
  const { delivery } = open(t, sink);
  for (const serial of [1, 2, 3]) delivery.deliver(record(serial));
  t.equal(sink.batches.length, 0, 'nobody waits for the sink');
  t.match(delivery.usage(), { sink: 'redis', waiting: 3, appended: 0 });
  await until('a batch', () => sink.batches.length > 0);
  t.same(sink.batches.map(contents), [['01', '02', '03']]);
  await until('it is counted', () => delivery.usage().appended === 3);
  t.match(delivery.usage(), { waiting: 0, dropped: 0, failures: 0 });
  delivery.deliver(record(4));
  await until('another batch', () => sink.batches.length > 1);
  t.same(
    sink.batches.map(({ number }) => number),
    [1, 2],
  );
});

t.test('does not wait for more than a batch', async (t) => {
  const sink = createWatchedSink();
  const { delivery } = open(t, sink);
  for (let serial = 0; serial < 300; serial += 1) delivery.deliver(record(serial));
  t.equal(sink.batches[0]?.records.length, 256, 'the first went at once');
  await until('the rest', () => sink.batches.length === 2);
  t.equal(sink.batches[1]?.records.length, 44);
});

t.test('tries a batch again as it is, and records what did not fit meanwhile', async (t) => {
  let isWorking = false;
  const sink = createWatchedSink(() => isWorking);
  const { delivery, clock, drops } = open(t, sink, 2);
  delivery.deliver(record(1));
  await until('an attempt', () => sink.batches.length > 0);
  for (const serial of [2, 3, 4]) delivery.deliver(record(serial));
  clock.advance(1000);
  delivery.deliver(record(5));
  t.same(drops, [
    ['redis', 1],
    ['redis', 1],
  ]);
  isWorking = true;
  await until('everything is delivered', () => delivery.usage().waiting === 0 && sink.batches.length > 2);
  const kept = sink.batches.filter((batch, place) => batch.number !== sink.batches[place + 1]?.number);
  t.same(kept.map(contents), [['01'], ['02', '03'], ['gap of 2']]);
  t.match(kept[2]?.records[0], {
    kind: 'gap',
    gap_id: 'gap-id',
    sink: 'redis',
    from: '2026-01-01T12:00:00.000Z',
    until: '2026-01-01T12:00:01.000Z',
  });
  t.ok(delivery.usage().failures > 0);
  t.equal(delivery.usage().dropped, 2);
  delivery.deliver(record(6));
  await until('the next record', () => sink.batches.at(-1)?.number === 4);
  t.same(sink.batches.slice(-1).map(contents), [['06']], 'without another gap');
});

t.test('puts a gap before the first record that fits again', async (t) => {
  const waiting = Promise.withResolvers<boolean>();
  const sink = createWatchedSink((attempt) => (attempt === 1 ? waiting.promise : true));
  const { delivery } = open(t, sink, 1);
  delivery.deliver(record(1));
  await until('the first attempt', () => sink.batches.length === 1);
  for (const serial of [2, 3]) delivery.deliver(record(serial));
  waiting.resolve(true);
  await until('all of it', () => sink.batches.length === 3);
  t.same(sink.batches.map(contents), [['01'], ['02'], ['gap of 1']]);
});

t.test('delivers at its close what waits', async (t) => {
  let isWorking = false;
  const sink = createWatchedSink(() => isWorking);
  const { delivery, drops } = open(t, sink);
  delivery.deliver(record(1));
  await until('an attempt', () => sink.batches.length > 0);
  delivery.deliver(record(2));
  isWorking = true;
  await delivery.close();
  t.same(contents(sink.batches.at(-1) ?? { number: 0, records: [] }), ['02']);
  t.match(delivery.usage(), { appended: 2, waiting: 0 });
  delivery.deliver(record(3));
  t.same(drops, [['redis', 1]], 'and takes nothing more');
});

t.test('gives up at its close what nobody takes, and counts it', async (t) => {
  const sink = createWatchedSink(() => false);
  const { delivery, drops } = open(t, sink);
  delivery.deliver(record(1));
  await until('an attempt', () => sink.batches.length > 0);
  delivery.deliver(record(2));
  await delivery.close();
  t.equal(
    drops.reduce((sum, [, count]) => sum + count, 0),
    2,
  );
  t.match(delivery.usage(), { appended: 0, dropped: 2, waiting: 0 });
});

t.test('hands on at once to a sink that takes records in place', async (t) => {
  const sink = createWatchedSink();
  const delivery = createDirectDelivery(sink);
  delivery.deliver(record(1));
  delivery.deliver(record(2));
  t.same(sink.batches.map(contents), [['01'], ['02']]);
  t.match(delivery.usage(), { sink: 'redis', appended: 2, waiting: 0 });
  await t.resolves(delivery.close());
});
