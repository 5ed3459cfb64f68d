import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { createStrictDelivery } from '../../../src/application/decision-log/deliver-strict.ts';
import { idOf } from '../../../src/domain/decision-log/decision-record.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { createDecisionRecord } from '../../support/decision-records.ts';
import { createManualClock, until } from '../../support/test-app.ts';
import { createWatchedSink } from './log-sinks.ts';

const record = (serial: number) => createDecisionRecord(0, serial);
const clock = systemClock;
const PATIENCE = { clock, waitMs: 10_000, waitingMax: 1000 };

t.test('answers when the record is durable, and shares a batch', async (t) => {
  const first = Promise.withResolvers<boolean>();
  const sink = createWatchedSink((attempt) => (attempt === 1 ? first.promise : true));
  const delivery = createStrictDelivery({ sink, ...PATIENCE });
  const kept = [1, 2].map((serial) => delivery.deliver(record(serial)));
  let isAnswered = false;
  void kept[0]?.then(() => {
    isAnswered = true;
  });
  await until('the first batch', () => sink.batches.length === 1);
  const more = [3, 4, 5].map((serial) => delivery.deliver(record(serial)));
  t.equal(isAnswered, false);
  t.match(delivery.usage(), { waiting: 5, appended: 0 });
  first.resolve(true);
  t.same(await Promise.all([...kept, ...more]), [true, true, true, true, true]);
  t.same(
    sink.batches.map(({ number, records }) => [number, records.length]),
    [
      [1, 2],
      [2, 3],
    ],
  );
  t.match(delivery.usage(), { sink: 'redis', appended: 5, dropped: 0, waiting: 0 });
  t.equal(await delivery.deliver(record(6)), true, 'and starts again after a rest');
  await delivery.close();
});

t.test('says so when a record cannot be kept, and goes on', async (t) => {
  const sink = createWatchedSink((attempt) => attempt > 1);
  const delivery = createStrictDelivery({ sink, ...PATIENCE });
  t.equal(await delivery.deliver(record(1)), false);
  t.equal(await delivery.deliver(record(2)), true);
  t.match(delivery.usage(), { appended: 1, dropped: 1, failures: 1 });
});

t.test('waits so long and no longer', async (t) => {
  const never = Promise.withResolvers<boolean>();
  const sink = createWatchedSink((attempt) => (attempt === 1 ? never.promise : true));
  const delivery = createStrictDelivery({ sink, clock, waitMs: 20, waitingMax: 1000 });
  const first = delivery.deliver(record(1));
  await until('the first batch', () => sink.batches.length === 1);
  const second = delivery.deliver(record(2));
  t.same(await Promise.all([first, second]), [false, false]);
  const third = delivery.deliver(record(3));
  never.resolve(true);
  await until('the next batch', () => sink.batches.length === 2);
  t.equal(await third, true);
  t.same(sink.batches[1]?.records.map(idOf), [record(3).decision_id], 'nobody waits for the second any more');
  t.equal(delivery.usage().dropped, 2);
});

t.test('skips a batch that nobody waits for any more', async (t) => {
  const first = Promise.withResolvers<boolean>();
  const sink = createWatchedSink((attempt) => (attempt === 1 ? first.promise : true));
  const delivery = createStrictDelivery({ sink, clock, waitMs: 20, waitingMax: 1000 });
  void delivery.deliver(record(1));
  await until('the first batch', () => sink.batches.length === 1);
  t.equal(await delivery.deliver(record(2)), false);
  first.resolve(true);
  await delivery.close();
  t.equal(sink.batches.length, 1);
});

t.test('refuses at once what is too much', async (t) => {
  const never = Promise.withResolvers<boolean>();
  const sink = createWatchedSink(() => never.promise);
  const delivery = createStrictDelivery({ sink, clock, waitMs: 10_000, waitingMax: 2 });
  const waiting = [1, 2].map((serial) => delivery.deliver(record(serial)));
  t.equal(await delivery.deliver(record(3)), false);
  t.equal(delivery.usage().dropped, 1);
  await until('both are in hand', () => sink.batches.length === 1);
  t.equal(await delivery.deliver(record(4)), false, 'what is in hand waits too');
  t.match(delivery.usage(), { dropped: 2, waiting: 2 });
  never.resolve(true);
  t.same(await Promise.all(waiting), [true, true]);
});

t.test('is not asked for answers before its sink has taken anything', async (t) => {
  const sink = createWatchedSink((attempt) => attempt > 2);
  const delivery = createStrictDelivery({ sink, ...PATIENCE });
  t.equal(delivery.health(), 'unready');
  await until('it was tried', () => sink.batches.length === 1);
  t.equal(delivery.health(), 'unready');
  await until('it takes', () => delivery.health() === 'taking');
  t.same(
    sink.batches,
    Array(3).fill({ number: 1, records: [] }),
    'with a batch of nothing, the same each time',
  );
  t.match(delivery.usage(), { appended: 0, dropped: 0, failures: 0 }, 'which is nobody’s');
});

t.test(
  'turns away after ten seconds in which its own sink took nothing, and comes back by itself',
  async (t) => {
    const now = createManualClock();
    let isFailing = false;
    const sink = createWatchedSink(() => !isFailing, false);
    const delivery = createStrictDelivery({ sink, ...PATIENCE, clock: now });
    t.equal(await delivery.deliver(record(1)), true);
    t.equal(delivery.health(), 'taking');
    isFailing = true;
    t.equal(await delivery.deliver(record(2)), false);
    t.equal(delivery.health(), 'failing');
    now.advance(9_999);
    t.equal(await delivery.deliver(record(3)), false);
    t.equal(delivery.health(), 'failing', 'counted from the first failure');
    now.advance(1);
    t.equal(delivery.health(), 'unready');
    const attempts = sink.batches.length;
    await until('it is tried while nobody asks', () => sink.batches.length > attempts);
    t.match(sink.batches.at(-1), { number: 3, records: [record(3)] }, 'with what it did not take');
    t.equal(delivery.health(), 'unready');
    isFailing = false;
    await until('it takes again', () => delivery.health() === 'taking');
    t.match(sink.batches.at(-1), { number: 3, records: [record(3)] });
    t.match(delivery.usage(), { appended: 2, dropped: 2, failures: 2 });
  },
);

t.test('stays where a sink fails that all replicas share', async (t) => {
  const now = createManualClock();
  const sink = createWatchedSink((attempt) => attempt === 1);
  const delivery = createStrictDelivery({ sink, ...PATIENCE, clock: now });
  t.equal(await delivery.deliver(record(1)), true);
  t.equal(await delivery.deliver(record(2)), false);
  now.advance(3_600_000);
  t.equal(delivery.health(), 'failing');
  await delivery.close();
  const attempts = sink.batches.length;
  await delay(600);
  t.equal(sink.batches.length, attempts, 'a closed one tries nothing');
});

t.test('fails where everything is kept too late', async (t) => {
  const slow = Promise.withResolvers<boolean>();
  const sink = createWatchedSink((attempt) => (attempt === 2 ? slow.promise : true));
  const delivery = createStrictDelivery({ sink, clock, waitMs: 20, waitingMax: 1000 });
  t.equal(await delivery.deliver(record(1)), true);
  t.equal(await delivery.deliver(record(2)), false);
  t.equal(delivery.health(), 'failing', 'while it is under way');
  slow.resolve(true);
  await until('it is kept', () => delivery.usage().appended === 2);
  t.equal(delivery.health(), 'failing');
  await until('a trial was in time', () => delivery.health() === 'taking');
  t.same(sink.batches.at(-1), { number: 3, records: [] });
});
