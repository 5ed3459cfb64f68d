import t, { type Test } from 'tap';
import { createCopy, noCopies } from '../../../src/application/decision-log/copy-records.ts';
import type { DecisionLogReader } from '../../../src/application/decision-log/decision-log.ts';
import { idOf, type LogRecord } from '../../../src/domain/decision-log/decision-record.ts';
import { createMemoryDecisionLog } from '../../../src/stores/decision-log/memory/decision-log.ts';
import { createDecisionRecord, createEventRecord, createGapRecord } from '../../support/decision-records.ts';
import { createManualClock } from '../../support/test-app.ts';

const NOW_MS = Date.parse('2026-03-04T05:06:07.089Z');
const LABEL = { label: 'fraud', at: '2026-03-05T00:00:00.000Z', note: null, caller: 'shop' } as const;

function openTarget(t: Test) {
  const log = createMemoryDecisionLog({
    clock: createManualClock(NOW_MS),
    recordsMax: 1000,
    countsKeptMs: 86_400_000,
  });
  t.teardown(() => log.close());
  const counts = noCopies();
  const copy = createCopy({ sink: log, reader: log }, counts);
  const held = async () => (await log.readAfter(null, 1000)).entries.map(({ record }) => record);
  return { log, counts, copy, held };
}

const plain = (records: readonly LogRecord[]) => records.map((record) => ({ record, labels: [] }));

t.test('copies records of each kind in their order, each once', async (t) => {
  const { counts, copy, held } = openTarget(t);
  const decisions = [1, 2, 3].map((n) => createDecisionRecord(NOW_MS + n, n));
  const records = [...decisions, createGapRecord(NOW_MS, 4), createEventRecord(NOW_MS, 5)];
  await copy(plain(records));
  t.same(await held(), records);
  await copy(plain([...records, createDecisionRecord(NOW_MS, 6), createDecisionRecord(NOW_MS, 6)]));
  t.same((await held()).map(idOf), [...records, createDecisionRecord(NOW_MS, 6)].map(idOf));
  t.strictSame(counts, { read: 12, added: 6, known: 6, differing: 0, labels: 0, labelsLeft: 0 });
});

t.test('looks for a gap on every page of its time', async (t) => {
  const { log, counts } = openTarget(t);
  const gap = createGapRecord(NOW_MS, 4);
  t.equal(log.append({ number: 1, records: [gap, createGapRecord(NOW_MS, 5)] }), true);
  const query: DecisionLogReader['query'] = (filter, { before }) => log.query(filter, { before, limit: 1 });
  const copy = createCopy({ sink: log, reader: { ...log, query } }, counts);
  await copy(plain([gap, createGapRecord(NOW_MS + 1, 6)]));
  t.match(counts, { read: 2, known: 1, added: 1 });
});

t.test('leaves another record with the same id as it is', async (t) => {
  const { counts, copy, held } = openTarget(t);
  const record = createDecisionRecord(NOW_MS, 1);
  await copy(plain([record]));
  const { caller, ...rest } = record;
  await copy(
    plain([
      { ...rest, caller },
      { ...record, caller: 'another' },
    ]),
  );
  t.same(await held(), [record]);
  t.match(counts, { read: 3, added: 1, known: 1, differing: 1 });
});

t.test('copies labels, also of decisions that are there', async (t) => {
  const { log, counts, copy } = openTarget(t);
  const record = createDecisionRecord(NOW_MS, 1);
  await copy([{ record, labels: [] }]);
  await copy([{ record, labels: [LABEL] }]);
  await copy([{ record, labels: [LABEL] }]);
  t.same((await log.find(record.decision_id))?.labels, [LABEL]);
  t.match(counts, { read: 3, added: 1, known: 2, labels: 1, labelsLeft: 0 });
  for (const kind of ['full', 'unknown_decision'] as const) {
    const label: DecisionLogReader['label'] = async () => ({ kind });
    await createCopy({ sink: log, reader: { ...log, label } }, counts)([{ record, labels: [LABEL] }]);
  }
  t.match(counts, { labels: 1, labelsLeft: 2 });
});

t.test('tries a batch again whose fate is not known, and gives up in the end', async (t) => {
  const { log } = openTarget(t);
  for (const failures of [2, 3]) {
    const counts = noCopies();
    const numbers: number[] = [];
    const append = async ({ number }: { readonly number: number }) => {
      numbers.push(number);
      return numbers.length > failures;
    };
    const copied = createCopy(
      { sink: { append }, reader: log },
      counts,
    )(plain([createDecisionRecord(NOW_MS, 1)]));
    if (failures === 2) await copied;
    else await t.rejects(copied, { code: 'store_unavailable' });
    t.strictSame(numbers, [1, 1, 1]);
    t.equal(counts.added, failures === 2 ? 1 : 0);
  }
});
