import t from 'tap';
import { createStrictDelivery } from '../../src/application/deliver-strict.ts';
import { createDecisionRecord } from '../support/decision-records.ts';
import { until } from '../support/test-app.ts';
import { createWatchedSink } from './log-sinks.ts';

const record = (serial: number) => createDecisionRecord(0, serial);
const PATIENCE = { waitMs: 10_000, waitingMax: 1000 };

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
  t.equal(await delivery.deliver(record(6)), true, 'and begins anew after a rest');
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
  const delivery = createStrictDelivery({ sink, waitMs: 20, waitingMax: 1000 });
  const first = delivery.deliver(record(1));
  await until('the first batch', () => sink.batches.length === 1);
  const second = delivery.deliver(record(2));
  t.same(await Promise.all([first, second]), [false, false]);
  const third = delivery.deliver(record(3));
  never.resolve(true);
  await until('the next batch', () => sink.batches.length === 2);
  t.equal(await third, true);
  t.same(
    sink.batches[1]?.records.map(({ id }) => id),
    [record(3).id],
    'nobody waits for the second any more',
  );
  t.equal(delivery.usage().dropped, 2);
});

t.test('skips a batch that nobody waits for any more', async (t) => {
  const first = Promise.withResolvers<boolean>();
  const sink = createWatchedSink((attempt) => (attempt === 1 ? first.promise : true));
  const delivery = createStrictDelivery({ sink, waitMs: 20, waitingMax: 1000 });
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
  const delivery = createStrictDelivery({ sink, waitMs: 10_000, waitingMax: 2 });
  const waiting = [1, 2].map((serial) => delivery.deliver(record(serial)));
  t.equal(await delivery.deliver(record(3)), false);
  t.equal(delivery.usage().dropped, 1);
  never.resolve(true);
  t.same(await Promise.all(waiting), [true, true]);
});
