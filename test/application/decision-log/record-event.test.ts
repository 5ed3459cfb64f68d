import t from 'tap';
import type { Delivery, StrictDelivery } from '../../../src/application/decision-log/decision-log.ts';
import { createRecordEvent, type RecordedEvent } from '../../../src/application/decision-log/record-event.ts';
import { type LogRecord, logRecordSchema } from '../../../src/domain/decision-log/decision-record.ts';
import { toRfc3339 } from '../../../src/platform/rfc3339.ts';
import { createEventRecord } from '../../support/decision-records.ts';
import { createManualClock } from '../../support/test-app.ts';

const { version: _, kind: _kind, event_id: _id, at: _at, ...LIST_CHANGED } = createEventRecord(0, 1);
const USAGE = { sink: 'watched', appended: 0, dropped: 0, failures: 0, waiting: 0 };

function open(isKept: readonly boolean[]) {
  const delivered: LogRecord[] = [];
  const strict = isKept.map(
    (isDurable): StrictDelivery => ({
      sink: 'watched',
      deliver: async () => isDurable,
      usage: () => USAGE,
      health: () => 'taking',
      close: async () => {},
    }),
  );
  const lossy: Delivery = {
    sink: 'watched',
    deliver: (record) => void delivered.push(record),
    usage: () => USAGE,
    isBehind: () => false,
    close: async () => {},
  };
  const clock = createManualClock();
  const options = { strict, lossy: [lossy], formatTime: toRfc3339, clock, newId: () => 'event-1' };
  return { record: createRecordEvent(options), delivered, clock };
}

const FORGOTTEN: RecordedEvent = {
  event: 'subject_forgotten',
  caller: 'admin',
  request_id: null,
  subject: { hash_key: 'k1', telemetry: null, device: 'd1', account: null },
  forgotten: { custody: 1, evidence: null },
};

t.test('records an event with its id and its time', async (t) => {
  const { record, delivered, clock } = open([true]);
  for (const event of [LIST_CHANGED as RecordedEvent, FORGOTTEN]) await record(event);
  t.match(delivered[0], { version: 1, kind: 'event', event_id: 'event-1', at: toRfc3339(clock.nowMs()) });
  t.match(delivered[0], LIST_CHANGED);
  for (const line of delivered) t.strictSame(logRecordSchema.parse(line), line, 'of the declared shape');
});

t.test('says so when a strict sink does not hold it, and gives it to the others all the same', async (t) => {
  const { record, delivered } = open([true, false]);
  await t.rejects(record(FORGOTTEN), { code: 'decision_log_unavailable' });
  t.equal(delivered.length, 1);
});
