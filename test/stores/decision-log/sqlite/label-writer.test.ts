import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { idOf } from '../../../../src/domain/decision-log/decision-record.ts';
import { LABELS_MAX, type OutcomeLabel } from '../../../../src/domain/decision-log/outcome-label.ts';
import { HistoryReader } from '../../../../src/stores/decision-log/sqlite/history-reader.ts';
import { HistoryWriter } from '../../../../src/stores/decision-log/sqlite/history-writer.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';
import { createDirectory } from '../../../support/test-app.ts';

const DAY_MS = 86_400_000;
const NOON_MS = Date.parse('2026-03-10T12:00:00Z');
const AT = '2026-03-12T00:00:00.000Z';
const NOBODY = '01950000-0000-7000-8000-000000000000';

function toLabel(label: OutcomeLabel['label'], note: string | null = null): OutcomeLabel {
  return { label, at: AT, note, caller: 'c' };
}

function toTask(id: string, label: OutcomeLabel['label'] = 'fraud') {
  return { id, label: toLabel(label), isTimeGiven: false, seen: null };
}

/** Two days of three decisions each. */
function open(t: Test) {
  const directory = createDirectory(t);
  const limits = { retentionMs: 30 * DAY_MS, labelledKeptMs: 0, bytesMax: 2 ** 30 };
  const writer = new HistoryWriter({ directory, isSynced: false, ...limits });
  const reader = new HistoryReader(directory);
  t.teardown(() => {
    writer.close();
    reader.close();
  });
  const [first = [], second = []] = [0, 1].map((day) => {
    const nowMs = NOON_MS + day * DAY_MS;
    const records = [0, 1, 2].map((serial) => createDecisionRecord(nowMs, 10 * day + serial));
    writer.append({ writer: 'test', number: day, texts: records.map((one) => JSON.stringify(one)) }, nowMs);
    return records.map(idOf);
  });
  const labelOf = (id: string | undefined) => reader.find(id ?? '')?.labels.map(({ label }) => label);
  return { directory, writer, first, second, labelOf };
}

t.test('writes several labels in their order, of whichever days', async (t) => {
  const { writer, first, second, labelOf } = open(t);
  const [one = '', two = ''] = first;
  const [other = ''] = second;
  const kinds = writer
    .labelAll([toTask(one), toTask(NOBODY), toTask(two, 'legit'), toTask(other), toTask(two, 'legit')])
    .map(({ kind }) => kind);
  t.same(kinds, ['recorded', 'unknown_decision', 'recorded', 'recorded', 'unchanged']);
  t.same([one, two, other].map(labelOf), [['fraud'], ['legit'], ['fraud']]);
  t.same(writer.labelAll([toTask(NOBODY)]), [{ kind: 'unknown_decision' }]);
  t.same(writer.labelAll([]), []);
});

t.test('shows a label to the next one of the same decision', async (t) => {
  const { writer, first, labelOf } = open(t);
  const [one = '', two = ''] = first;
  const attempts = writer.labelAll([
    toTask(one),
    toTask(two),
    toTask(one, 'legit'),
    toTask(one, 'withdrawn'),
  ]);
  t.same(
    attempts.map(({ kind }) => kind),
    ['recorded', 'recorded', 'recorded', 'recorded'],
  );
  t.same(labelOf(one), ['fraud', 'legit', 'withdrawn']);
});

t.test('refuses the one label too many of a decision alone', async (t) => {
  const { writer, first } = open(t);
  const [one = '', two = ''] = first;
  for (let count = 0; count < LABELS_MAX; count += 1)
    writer.label(one, toLabel('fraud', `note ${count}`), false);
  const kinds = writer.labelAll([toTask(two), toTask(one)]).map(({ kind }) => kind);
  t.same(kinds, ['recorded', 'full']);
});

t.test('keeps the labels of other days where one cannot be written', async (t) => {
  const { directory, writer, first, second, labelOf } = open(t);
  const [one = '', two = ''] = first;
  const [other = ''] = second;
  const db = new DatabaseSync(join(directory, '20260310-0001.sqlite'));
  t.teardown(() => db.close());
  db.exec(`CREATE TRIGGER refuse BEFORE INSERT ON labels WHEN new.label = 'legit'
    BEGIN SELECT RAISE(ABORT, 'refused'); END`);
  const attempts = writer.labelAll([toTask(one), toTask(two, 'legit'), toTask(NOBODY), toTask(other)]);
  t.same(
    attempts.map(({ kind }) => kind),
    ['failed', 'failed', 'unknown_decision', 'recorded'],
    'those of one day fail together',
  );
  t.same([one, two, other].map(labelOf), [[], [], ['fraud']], 'and nothing of them is kept');
  t.throws(() => writer.label(two, toLabel('legit'), false), /refused/);
});

t.test('says of each decision that cannot be read that its label failed', async (t) => {
  const { directory, writer, first, second, labelOf } = open(t);
  const [one = '', two = ''] = first;
  const [other = ''] = second;
  const db = new DatabaseSync(join(directory, '20260310-0001.sqlite'));
  t.teardown(() => db.close());
  db.exec("UPDATE tail SET body = 'no JSON' WHERE seq = 2");
  const kinds = writer.labelAll([toTask(one), toTask(two), toTask(other)]).map(({ kind }) => kind);
  t.same(kinds, ['recorded', 'failed', 'recorded']);
  t.same([one, other].map(labelOf), [['fraud'], ['fraud']]);
});
