/** Questions answered by the summaries of days, compared with the same ones answered by the files alone. */

import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import {
  type DecisionRecord,
  idOf,
  type LogRecord,
} from '../../../../src/domain/decision-log/decision-record.ts';
import { matchesFilter, type RecordFilter } from '../../../../src/domain/decision-log/record-filter.ts';
import { toRfc3339 } from '../../../../src/platform/rfc3339.ts';
import { CHUNK_ENTRIES } from '../../../../src/stores/decision-log/sqlite/column-chunk.ts';
import { HistoryReader } from '../../../../src/stores/decision-log/sqlite/history-reader.ts';
import { HistoryWriter } from '../../../../src/stores/decision-log/sqlite/history-writer.ts';
import {
  SUMMARY,
  SummaryFile,
  writeSummary,
} from '../../../../src/stores/decision-log/sqlite/summary-file.ts';
import { compactHistory, verifyHistory } from '../../../../src/stores/decision-log/sqlite/upkeep.ts';
import { createDecisionRecord, createGapRecord } from '../../../support/decision-records.ts';
import { answersOf } from '../../../support/history-answers.ts';
import { createMixed, MIXED_FILTERS } from '../../../support/mixed-decisions.ts';
import { createRandom } from '../../../support/random.ts';
import { createDirectory } from '../../../support/test-app.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const NOON_MS = Date.parse('2026-03-10T12:00:00Z');
const FIRST = '20260310-0001';
const WINDOW = { sinceMs: NOON_MS - 12 * HOUR_MS, untilMs: NOON_MS + 36 * HOUR_MS };
/** For what is asked many times. */
const FEW = { nothing: {}, country: { country: 'DE' }, network: { asn: 64_496 } };
const LIMITS = { retentionMs: 5 * DAY_MS, labelledKeptMs: 30 * DAY_MS, bytesMax: 2 ** 40 };

function open(t: Test) {
  const data = createDirectory(t);
  const directory = join(data, 'history');
  const readers: HistoryReader[] = [];
  let writer = new HistoryWriter({ directory, isSynced: false, ...LIMITS });
  t.teardown(() => {
    close();
    for (const reader of readers) reader.close();
  });
  let number = 0;
  const append = (records: readonly LogRecord[], nowMs: number) => {
    number += 1;
    writer.append({ writer: 'test', number, texts: records.map((record) => JSON.stringify(record)) }, nowMs);
  };
  const read = () => {
    const reader = new HistoryReader(directory);
    readers.push(reader);
    return reader;
  };
  const label = (record: LogRecord | undefined, given: 'fraud' | 'legit') => {
    const said = { label: given, at: toRfc3339(NOON_MS + DAY_MS), note: null, caller: 'c' } as const;
    writer.label(record === undefined ? '' : idOf(record), said, true);
  };
  let isOpen = true;
  const close = () => {
    if (isOpen) writer.close();
    isOpen = false;
  };
  const reopen = () => {
    close();
    isOpen = true;
    writer = new HistoryWriter({ directory, isSynced: false, ...LIMITS });
  };
  const tidy = (nowMs: number) => {
    while (writer.tidy(nowMs).isMore);
  };
  return {
    data,
    directory,
    append,
    read,
    label,
    reopen,
    close,
    tidy,
    summary: join(directory, `${FIRST}.sqlite${SUMMARY}`),
  };
}

/** A day of more than a chunk, and a part of the next one, some of whose decisions are late ones of the first. */
function fill({ append, label }: Pick<ReturnType<typeof open>, 'append' | 'label'>, seed: number) {
  const random = createRandom(seed);
  const count = CHUNK_ENTRIES + 300;
  const toRecord = (_: unknown, serial: number): LogRecord => {
    if (serial % 90 === 7) return createGapRecord(NOON_MS, serial);
    const isLate = serial >= count && serial % 3 === 0;
    return createMixed(random, serial < count || isLate ? NOON_MS : NOON_MS + DAY_MS, serial);
  };
  const records = Array.from({ length: count + 300 }, toRecord);
  for (let place = 0; place < count; place += 800)
    append(records.slice(place, Math.min(count, place + 800)), NOON_MS);
  append(records.slice(count), NOON_MS + DAY_MS);
  for (const record of records.filter(({ kind }, place) => kind === 'decision' && place % 400 === 3))
    label(record, random() < 0.5 ? 'fraud' : 'legit');
  return records;
}

function summarise(reader: HistoryReader): number {
  let made = 0;
  while (reader.summarise()) made += 1;
  return made;
}

/** What the files alone say. */
function answersWithout(
  { summary, read }: Pick<ReturnType<typeof open>, 'summary' | 'read'>,
  filters = MIXED_FILTERS,
) {
  renameSync(summary, `${summary}-away`);
  const reader = read();
  const answers = answersOf(reader, WINDOW, filters);
  reader.close();
  renameSync(`${summary}-away`, summary);
  return answers;
}

const same = (
  t: Test,
  found: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
  name: string,
) => {
  const wrong = [...wanted].filter(([question, answer]) => found.get(question) !== answer);
  t.same(
    wrong.map(([question]) => question),
    [],
    `${name}: ${wanted.size} answers`,
  );
};

for (const seed of [1, 2])
  t.test(`answers by summaries as the files do, also once labels have changed, seed ${seed}`, async (t) => {
    const history = open(t);
    const records = fill(history, seed);
    const plain = answersOf(history.read(), WINDOW);
    t.ok(
      [...plain.values()].filter((answer) => answer.length > 200).length > 60,
      'most have something to tell',
    );
    const maker = history.read();
    t.equal(summarise(maker), 1, 'of the day that is over');
    t.equal(summarise(maker), 0);
    t.equal(statSync(history.summary).mode & 0o777, 0o640);
    same(t, answersOf(maker, WINDOW), plain, 'by the one that made it');
    const reader = history.read();
    t.equal(reader.segment(FIRST)?.hasSummary, true);
    same(t, answersOf(reader, WINDOW), plain, 'by another');
    for (const place of [3, 11, 403, 999]) history.label(records[place], 'fraud');
    same(t, answersOf(reader, WINDOW), answersWithout(history), 'with other labels');
  });

t.test('reads columns, places and counts from the summary, and not from the file', async (t) => {
  const history = open(t);
  fill(history, 3);
  summarise(history.read());
  const wanted = answersOf(history.read(), WINDOW);
  const db = new DatabaseSync(join(history.directory, `${FIRST}.sqlite`));
  db.exec(`DELETE FROM columns; DELETE FROM counts WHERE period >= ${HOUR_MS};`);
  db.close();
  const reader = history.read();
  const segment = reader.segment(FIRST);
  const places = segment === null ? () => [] : t.capture(segment, 'places', segment.places.bind(segment));
  same(t, answersOf(reader, WINDOW), wanted, 'without them');
  t.equal(places().length, 0);
});

t.test(
  'reads nothing of a summary that is damaged, cut off, of another version or of another content',
  async (t) => {
    const history = open(t);
    fill(history, 4);
    const maker = history.read();
    summarise(maker);
    const plain = answersWithout(history, FEW);
    const whole = readFileSync(history.summary);
    const check = (name: string, bytes: Uint8Array) => {
      writeFileSync(history.summary, bytes);
      const reader = history.read();
      same(t, answersOf(reader, WINDOW, FEW), plain, name);
      reader.close();
    };
    const flipped = (at: number) =>
      Uint8Array.from(whole, (byte, place) => (place === at ? byte ^ 0xff : byte));
    const header = 12 + whole.readUInt32BE(8);
    for (const share of [0, 0.4, 0.8])
      check(`a byte at ${share}`, flipped(header + Math.floor(share * (whole.length - header))));
    // Every byte of what stands behind the header is another one.
    check(
      'all bytes',
      Uint8Array.from(whole, (byte, place) => (place >= header ? byte ^ 0x55 : byte)),
    );
    for (const length of [0, 11, 40, header + 100]) check(`${length} bytes`, whole.subarray(0, length));
    check('another magic', flipped(0));
    check('another length', flipped(8));
    check('no JSON', flipped(12));
    const version = Buffer.from(whole);
    version.write('{"version":9', 12);
    check('another version', version);
    check(
      'no sections known',
      Buffer.from(whole.toString('latin1').replace('"sections"', '"sectionz"'), 'latin1'),
    );
    writeSummary(history.summary, 'another content', new Map([['extent', Buffer.from('{"last":1}')]]));
    check('another content', readFileSync(history.summary));
    const content =
      maker.segment(FIRST)?.content(statSync(join(history.directory, `${FIRST}.sqlite`)).ino) ?? '';
    writeSummary(history.summary, content, new Map());
    check('no sections', readFileSync(history.summary));
    const next = history.read();
    t.equal(summarise(next), 1, 'and it is made again');
    t.ok(readFileSync(history.summary).equals(whole), 'as it was');
  },
);

t.test('counts what comes to a day after its summary was made', async (t) => {
  const history = open(t);
  fill(history, 5);
  summarise(history.read());
  // The later day is moved away, so that records come to the first one again.
  history.reopen();
  for (const file of readdirSync(history.directory).filter((name) => name.startsWith('20260311')))
    rmSync(join(history.directory, file));
  history.reopen();
  const reader = history.read();
  answersOf(reader, WINDOW, FEW);
  const random = createRandom(6);
  const more = Array.from({ length: 200 }, (_, serial) => createMixed(random, NOON_MS, 50_000 + serial));
  history.append(more, NOON_MS);
  history.label(more[3], 'fraud');
  const wanted = answersWithout(history, FEW);
  same(t, answersOf(reader, WINDOW, FEW), wanted, 'by one that has read the summary before');
  same(t, answersOf(history.read(), WINDOW, FEW), wanted, 'by one that finds it of another content');
});

t.test('removes a summary with its file, also one whose file is gone and what was not whole', async (t) => {
  const history = open(t);
  fill(history, 7);
  summarise(history.read());
  t.ok(existsSync(history.summary));
  history.tidy(NOON_MS + 7 * DAY_MS);
  t.ok(existsSync(join(history.directory, `${FIRST}.thinned.sqlite`)), 'its labelled decisions stay');
  t.notOk(existsSync(history.summary));
  t.equal(summarise(history.read()), 0, 'of what is left there is none');
  for (const name of [`20250101-0001.sqlite${SUMMARY}`, `${FIRST}.sqlite${SUMMARY}.part`])
    writeFileSync(join(history.directory, name), '');
  history.reopen();
  history.append([createDecisionRecord(NOON_MS, 1)], NOON_MS + 7 * DAY_MS);
  t.same(
    readdirSync(history.directory).filter((name) => name.includes(SUMMARY)),
    [],
  );
});

t.test('says where a summary is wrong, and makes another one of a compacted file', async (t) => {
  const history = open(t);
  fill(history, 8);
  const maker = history.read();
  summarise(maker);
  const problems = () => [...verifyHistory(history.data, false)].flatMap((file) => file.problems);
  t.same(problems(), []);
  const path = join(history.directory, `${FIRST}.sqlite`);
  const content = maker.segment(FIRST)?.content(statSync(path).ino) ?? '';
  const names =
    'shape place action minute latency country country_values asn asn_values asnName asnName_values';
  const file = SummaryFile.open(history.summary, () => content);
  const sections = [...names.split(' '), 'shape_keys', 'sums', 'extent'].map((name): [string, Uint8Array] => {
    const bytes = name === 'sums' ? Buffer.from('{"names":[],"hours":[]}') : file?.read(name);
    return [name, bytes ?? new Uint8Array()];
  });
  writeSummary(history.summary, content, new Map(sections));
  t.match(problems(), ['the summary is not what the file says (sums): remove summary']);
  const wanted = answersWithout(history, FEW);
  history.close();
  maker.close();
  for (const { problem } of compactHistory(history.data)) t.equal(problem, null);
  t.notOk(existsSync(history.summary));
  const reader = history.read();
  t.equal(summarise(reader), 1);
  same(t, answersOf(reader, WINDOW, FEW), wanted, 'of the compacted one');
});

t.test('finds what is of a time in whatever file it stands, and opens no other one again', async (t) => {
  const { append, read } = open(t);
  const dayOf = (day: number, serial: number) =>
    Array.from({ length: 260 }, (_, place) =>
      createDecisionRecord(NOON_MS + day * DAY_MS + place, serial + place),
    );
  const late: DecisionRecord = createDecisionRecord(NOON_MS + DAY_MS, 5_000);
  // The clock was set back by a month when it was made, and the name of a file never falls.
  const early: DecisionRecord = createDecisionRecord(NOON_MS - 30 * DAY_MS, 5_001);
  const gap = createGapRecord(NOON_MS + 3 * DAY_MS, 5_002);
  const days = [
    dayOf(0, 0),
    [...dayOf(1, 1_000), gap],
    [...dayOf(2, 2_000), late],
    [...dayOf(3, 3_000), early],
  ];
  for (const [day, records] of days.entries()) append(records, NOON_MS + day * DAY_MS);
  const all = days.flat();
  const reader = read();
  const spans: RecordFilter[] = [-31, -30, -1, 0, 1, 2, 3, 4].flatMap((day) => {
    const since = toRfc3339(NOON_MS + day * DAY_MS);
    const until = toRfc3339(NOON_MS + day * DAY_MS + HOUR_MS);
    return [{ since }, { until }, { since, until }];
  });
  const check = () => {
    for (const span of [...spans, ...spans.map((one) => ({ ...one, includesGaps: true }))]) {
      const wanted = all.filter((record) => matchesFilter(record, span, null)).map(idOf);
      const found: string[] = [];
      let before: string | null = null;
      do {
        const page = reader.query(span, { before, limit: 2_000 });
        found.push(...page.entries.map(({ text }) => idOf(JSON.parse(text) as LogRecord)));
        before = page.next;
      } while (before !== null);
      t.same(found.toReversed(), wanted, JSON.stringify(span));
    }
  };
  check();
  const opened = t.capture(reader, 'segment', reader.segment.bind(reader));
  reader.query({ since: toRfc3339(NOON_MS + 3 * DAY_MS) }, { before: null, limit: 2_000 });
  const names = new Set(opened().map(({ args }) => args[0]));
  t.notOk(names.has('20260310-0001'), 'none but what may have something');
  t.ok(names.has('20260313-0001'));
  check();
});
