/** Decisions that are imported into days that are over and have a summary: see docs/adr/0093. */

import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { RecordFilter } from '../../src/domain/decision-log/record-filter.ts';
import { toRfc3339 } from '../../src/platform/rfc3339.ts';
import { groupSegments } from '../../src/stores/decision-log/sqlite/history-groups.ts';
import { HistoryReader } from '../../src/stores/decision-log/sqlite/history-reader.ts';
import { HistoryWriter } from '../../src/stores/decision-log/sqlite/history-writer.ts';
import { SUMMARY } from '../../src/stores/decision-log/sqlite/summary-file.ts';
import { answersOf } from '../support/history-answers.ts';
import { createMixed } from '../support/mixed-decisions.ts';
import { createRandom } from '../support/random.ts';
import { runCommand } from '../support/run-cli.ts';
import { createDirectory } from '../support/test-app.ts';

const DAY_MS = 86_400_000;
const NOON_MS = Date.parse('2026-03-10T12:00:00Z');
const WINDOW = { sinceMs: NOON_MS - DAY_MS / 2, untilMs: NOON_MS + 1.5 * DAY_MS };
const DAYS = ['20260310-0001', '20260311-0001'] as const;
const LIMITS = { retentionMs: 90 * DAY_MS, labelledKeptMs: 0, bytesMax: 2 ** 40 };
const FILTERS: Readonly<Record<string, RecordFilter>> = { nothing: {}, country: { country: 'DE' } };

/** Of these days by turns. */
function createDecisions(seed: number, count: number, days: readonly number[]) {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, place) =>
    createMixed(random, NOON_MS + (days[place % days.length] ?? 0) * DAY_MS, seed * 10_000 + place),
  );
}

/** A history of two days that nobody has open, and its first decisions. */
function createHistory(t: Test) {
  const dataDirectory = createDirectory(t);
  const directory = join(dataDirectory, 'history');
  const days = [createDecisions(1, 300, [0]), createDecisions(2, 100, [1, 1, 0])] as const;
  const writer = new HistoryWriter({ directory, isSynced: false, ...LIMITS });
  for (const [day, records] of days.entries()) {
    const texts = records.map((record) => JSON.stringify(record));
    writer.append({ writer: 'test', number: day + 1, texts }, NOON_MS + day * DAY_MS);
  }
  writer.close();
  const open = () => {
    const reader = new HistoryReader(directory);
    t.teardown(() => reader.close());
    return reader;
  };
  return { dataDirectory, directory, open, first: days[0] };
}

const answers = (reader: HistoryReader) => Object.fromEntries(answersOf(reader, WINDOW, FILTERS));
const totalOf = (reader: HistoryReader) => {
  const { steps } = groupSegments(reader.allBack(), {
    filter: {},
    sinceMs: 0,
    stepMs: 1e15,
    by: ['country'],
  });
  return steps[0]?.total;
};
const summarised = (reader: HistoryReader) =>
  DAYS.filter((name) => reader.segment(name)?.hasSummary === true);

t.test('answers right after an import into days that have a summary', async (t) => {
  const { dataDirectory, directory, open, first } = createHistory(t);
  const before = open();
  t.equal(before.summarise(), true);
  t.same(summarised(before), DAYS.slice(0, 1));
  const answersBefore = answers(before);
  t.equal(totalOf(before), 400);

  // New ones of both days, one that is there and gets a label, and one that is there as it was.
  const labels = [{ label: 'fraud', at: toRfc3339(NOON_MS + DAY_MS), note: null, caller: 'shop' }];
  const lines = [...createDecisions(3, 60, [0, 1]), { ...first[5], labels }, first[6]];
  const file = join(dataDirectory, 'more.ndjson');
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'));
  const imported = await runCommand(['history', 'import', file, '--json'], {
    env: { DATA_DIR: dataDirectory },
  });
  t.match(imported.json, { read: 62, added: 60, known: 2, labels: 1 });

  const byOld = answers(before);
  t.equal(totalOf(before), 460);
  t.notSame(byOld, answersBefore);
  const after = open();
  t.same(summarised(after), DAYS.slice(0, 1), 'its summary says what its file does');
  const byOne = answers(after);
  t.equal(after.summarise(), true, 'the second day is over now');
  const byTwo = answers(after);
  const found = open();
  t.same(summarised(found), DAYS);
  const byBoth = answers(found);
  const summaries = readdirSync(directory).filter((name) => name.endsWith(SUMMARY));
  t.equal(summaries.length, 2);
  for (const name of summaries) rmSync(join(directory, name));
  const byFiles = answers(open());
  t.same(byOld, byFiles, 'by one that had read the summary before');
  t.same(byOne, byFiles, 'by one that found it');
  t.same(byTwo, byFiles, 'by one that made another');
  t.same(byBoth, byFiles, 'by one that found both');
  const verified = await runCommand(['history', 'verify', '--json'], { env: { DATA_DIR: dataDirectory } });
  t.equal(verified.code, 0);
});
