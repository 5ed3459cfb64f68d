import { copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import {
  type DecisionRecord,
  idOf,
  type LogRecord,
} from '../../../../src/domain/decision-log/decision-record.ts';
import { matchesFilter } from '../../../../src/domain/decision-log/record-filter.ts';
import { toRfc3339 } from '../../../../src/platform/rfc3339.ts';
import { countDistinct } from '../../../../src/stores/decision-log/sqlite/history-groups.ts';
import { HistoryReader } from '../../../../src/stores/decision-log/sqlite/history-reader.ts';
import { HistoryWriter } from '../../../../src/stores/decision-log/sqlite/history-writer.ts';
import { compactHistory, verifyHistory } from '../../../../src/stores/decision-log/sqlite/upkeep.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';
import { createDirectory } from '../../../support/test-app.ts';

const DAY_MS = 86_400_000;
const NOON_MS = Date.parse('2026-03-10T12:00:00Z');
const LATER_MS = NOON_MS + 10 * DAY_MS;
const LABEL = { label: 'fraud', at: '2026-03-11T00:00:00.000Z', note: null, caller: 'c' } as const;
const FIRST = '20260310-0001';

function open(t: Test, directory = createDirectory(t)) {
  const limits = { retentionMs: 2 * DAY_MS, labelledKeptMs: 30 * DAY_MS, bytesMax: 2 ** 40 };
  const writer = new HistoryWriter({ directory, isSynced: false, ...limits });
  const reader = new HistoryReader(directory);
  let isOpen = true;
  const close = () => {
    if (isOpen) writer.close();
    isOpen = false;
  };
  t.teardown(() => {
    close();
    reader.close();
  });
  let number = 0;
  const append = (records: readonly LogRecord[], nowMs = NOON_MS) => {
    number += 1;
    writer.append({ writer: 'test', number, texts: records.map((record) => JSON.stringify(record)) }, nowMs);
  };
  const label = (record: LogRecord | undefined) =>
    writer.label(record === undefined ? '' : idOf(record), LABEL, true);
  const thin = () => {
    while (writer.tidy(LATER_MS).isMore);
  };
  return { directory, writer, reader, append, label, thin, close };
}

/** A day, and a record of a later one. */
function fill({ append }: Pick<ReturnType<typeof open>, 'append'>, count: number): readonly DecisionRecord[] {
  const records = Array.from({ length: count }, (_, serial) =>
    createDecisionRecord(NOON_MS + serial * 1_000, serial, {
      caller: serial % 2 === 0 ? 'shop' : 'bank',
      action: `action-${serial % 60}`,
    }),
  );
  for (let place = 0; place < count; place += 500) append(records.slice(place, place + 500));
  append([createDecisionRecord(LATER_MS, 90_000)], LATER_MS);
  return records;
}

const idsOf = (entries: readonly { readonly text: string }[]) =>
  entries.map(({ text }) => idOf(JSON.parse(text) as LogRecord));
const filesOf = (directory: string) => readdirSync(directory).filter((name) => name !== 'lock');

t.test('finds in what is left what a plain search of it finds', async (t) => {
  const dataDirectory = createDirectory(t);
  const history = open(t, join(dataDirectory, 'history'));
  const records = fill(history, 2_000);
  const kept = records.filter((_, serial) => serial % 3 === 0);
  for (const record of kept) history.label(record);
  history.thin();
  await history.writer.free();
  t.same(filesOf(history.directory), [
    '20260310-0001.thinned.sqlite',
    '20260320-0001.sqlite',
    '20260320-0001.sqlite-shm',
    '20260320-0001.sqlite-wal',
  ]);
  const until = toRfc3339(NOON_MS + 1_500_000);
  const filters = [
    { until },
    { caller: 'shop', until },
    { action: 'action-30' },
    { since: toRfc3339(NOON_MS + 700_000), until },
  ];
  for (const filter of filters) {
    const expected = kept
      .filter((record) => matchesFilter(record, filter, null))
      .map(idOf)
      .reverse();
    const found: string[] = [];
    let before: string | null = null;
    do {
      const page = history.reader.query(filter, { before, limit: 100 });
      found.push(...idsOf(page.entries));
      before = page.next;
    } while (before !== null);
    t.same(found, expected, `${JSON.stringify(filter)}: ${expected.length}`);
  }
  const texts = kept.map((record) => history.reader.find(idOf(record))?.text);
  t.same(
    texts,
    kept.map((record) => JSON.stringify(record)),
  );
  const { telemetry } = countDistinct(history.reader.allBack(), { until }).subjects;
  t.ok(telemetry > 0, `${telemetry} subjects`);
});

t.test('verifies and compacts what is left', async (t) => {
  const dataDirectory = createDirectory(t);
  const history = open(t, join(dataDirectory, 'history'));
  const records = fill(history, 600);
  for (const record of records.slice(0, 400)) history.label(record);
  history.thin();
  history.close();
  const verify = () =>
    [...verifyHistory(dataDirectory, false)].map(({ records: n, problems }) => [n, problems]);
  t.same(verify(), [
    [400, []],
    [1, []],
  ]);
  t.match([...compactHistory(dataDirectory)], [{ file: `${FIRST}.thinned.sqlite`, problem: null }]);
  t.same(verify()[0], [400, []]);
});

t.test('keeps what is labelled while it is thinned, wherever that has got to', async (t) => {
  const history = open(t);
  const records = fill(history, 3_000);
  for (const record of records.slice(1)) history.label(record);
  t.match(history.writer.tidy(LATER_MS), { thinned: 0, isMore: true }, 'a step is shorter than all of it');
  t.equal(history.reader.segment(FIRST)?.isThinned(), false, 'until then the segment is as it was');
  const later = { ...LABEL, label: 'legit', at: '2026-03-12T00:00:00.000Z' } as const;
  const relabel = () => history.writer.label(idOf(records[1] as LogRecord), later, true);
  relabel();
  history.label(records[0]);
  t.match(history.writer.tidy(LATER_MS), { thinned: 0, isMore: true }, 'a first label has it begin again');
  t.match(history.writer.label(idOf(records[2] as LogRecord), later, true), { kind: 'recorded' });
  history.append([createDecisionRecord(LATER_MS, 90_001)], LATER_MS);
  history.thin();
  t.equal(history.reader.segment(FIRST)?.isThinned(), true);
  t.equal(history.reader.readAfter(null, 5_000).entries.length, 3_002);
  t.match(history.reader.find(idOf(records[0] as LogRecord)), { labels: [LABEL] });
  for (const place of [1, 2])
    t.match(
      history.reader.find(idOf(records[place] as LogRecord))?.labels,
      [LABEL, later],
      'with what was said of it once it had been taken',
    );
  const again = history.writer.label(
    idOf(records[0] as LogRecord),
    { ...LABEL, at: '2026-03-12T00:00:00.000Z' },
    true,
  );
  t.equal(again.kind, 'recorded', 'and can be labelled again');
});

t.test('takes up again what a killed process has left', async (t) => {
  const first = open(t);
  const records = fill(first, 600);
  for (const record of records.slice(0, 300)) first.label(record);
  const whole = join(first.directory, `${FIRST}.sqlite`);
  // Opening it moves everything into the file.
  first.close();
  copyFileSync(whole, join(first.directory, 'whole'));
  writeFileSync(join(first.directory, `${FIRST}.thinned.sqlite.thinning`), 'half a file');
  writeFileSync(join(first.directory, `${FIRST}.thinned.sqlite.thinning-wal`), 'and its log');
  const second = open(t, first.directory);
  t.same(
    filesOf(first.directory).filter((name) => name.includes('thinning')),
    [],
  );
  second.thin();
  t.equal(existsSync(whole), false);
  second.close();
  copyFileSync(join(first.directory, 'whole'), whole);
  const third = open(t, first.directory);
  t.equal(existsSync(whole), false, 'the thinned one is whole, and takes its place');
  t.equal(third.reader.readAfter(null, 1_000).entries.length, 301);
});

t.test('gives up for damaged records what cannot be read, and no more', async (t) => {
  const history = open(t);
  const records = fill(history, 600);
  for (const record of records) history.label(record);
  const db = new DatabaseSync(join(history.directory, `${FIRST}.sqlite`));
  db.exec(`UPDATE blocks SET body = x'0000000428b52ffd00' WHERE first = 1;
    UPDATE blocks SET body = CAST(substr(body, 1, 99) || x'0055aaff' || substr(body, 104) AS BLOB)
      WHERE first = 251`);
  db.close();
  t.equal(history.writer.tidy(LATER_MS).kept, null);
  history.thin();
  t.equal(history.reader.readAfter(null, 1_000).entries.length, 101, 'a cut block, and one with other bytes');
});

t.test('removes what cannot be read at all once it is too old, as before', async (t) => {
  const history = open(t);
  fill(history, 10);
  writeFileSync(
    join(history.directory, '20260301-0001.sqlite'),
    'no database, and longer than a header'.repeat(40),
  );
  t.match(history.writer.tidy(LATER_MS), { removed: 2 });
  t.same(history.reader.segments(), ['20260320-0001']);
});

t.test('keeps a day that a later version wrote, says so, and thins the days after it', async (t) => {
  const history = open(t);
  const records = fill(history, 10);
  history.label(records[3]);
  history.close();
  const later = join(history.directory, '20260309-0001.sqlite');
  copyFileSync(join(history.directory, `${FIRST}.sqlite`), later);
  const db = new DatabaseSync(later);
  db.exec('PRAGMA user_version = 99');
  db.close();
  const again = open(t, history.directory);
  const reports = [];
  do reports.push(again.writer.tidy(LATER_MS));
  while (reports.at(-1)?.isMore === true);
  t.match(reports[0], { removed: 0, thinned: 0, kept: 'LATER_VERSION' });
  t.equal(
    reports.reduce((sum, { thinned }) => sum + thinned, 0),
    1,
    'the day after it',
  );
  t.equal(reports.filter(({ kept }) => kept !== null).length, 1, 'it is told once');
  t.ok(filesOf(history.directory).includes('20260309-0001.sqlite'));
  t.match(again.writer.tidy(LATER_MS + DAY_MS), { kept: 'LATER_VERSION' }, 'and tried again a day later');
});

t.test('appends nothing to what is left of a day', async (t) => {
  const first = open(t);
  const records = fill(first, 300);
  first.label(records[7]);
  first.thin();
  first.close();
  // A backup of that day alone.
  const directory = createDirectory(t);
  copyFileSync(join(first.directory, `${FIRST}.thinned.sqlite`), join(directory, `${FIRST}.thinned.sqlite`));
  const second = open(t, directory);
  second.append([createDecisionRecord(NOON_MS, 5_000)]);
  t.same(second.reader.segments(), [FIRST, '20260310-0002']);
  t.equal(second.reader.readAfter(null, 10).entries.length, 2);
});
