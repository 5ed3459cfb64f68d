/** Segments whose entries stand in chunks, compared with a plain look at every record. */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { PERIOD_MS } from '../../../../src/application/decision-log/decision-log.ts';
import {
  type DecisionRecord,
  idOf,
  type LogRecord,
} from '../../../../src/domain/decision-log/decision-record.ts';
import { ALL_GROUP_KEYS, type GroupKey } from '../../../../src/domain/decision-log/group-keys.ts';
import { OUTCOME_LABELS } from '../../../../src/domain/decision-log/outcome-label.ts';
import { matchesFilter, type RecordFilter } from '../../../../src/domain/decision-log/record-filter.ts';
import { hashesOfPart, SUBJECT_PARTS } from '../../../../src/domain/decision-log/subject-parts.ts';
import { toRfc3339 } from '../../../../src/platform/rfc3339.ts';
import {
  CHUNK_ENTRIES,
  packColumn,
  unpackColumn,
} from '../../../../src/stores/decision-log/sqlite/column-chunk.ts';
import {
  countDistinct,
  describeSubject,
  groupSegments,
} from '../../../../src/stores/decision-log/sqlite/history-groups.ts';
import { HistoryReader } from '../../../../src/stores/decision-log/sqlite/history-reader.ts';
import { HistoryWriter } from '../../../../src/stores/decision-log/sqlite/history-writer.ts';
import { TallyMemory } from '../../../../src/stores/decision-log/sqlite/tally-memory.ts';
import { createDecisionRecord, createGapRecord } from '../../../support/decision-records.ts';
import {
  createMixed,
  groupPlainly,
  hashOf,
  MIXED_FILTERS,
  MIXED_SPAN_MS,
  toPlain,
} from '../../../support/mixed-decisions.ts';
import { createRandom, pick } from '../../../support/random.ts';
import { createDirectory } from '../../../support/test-app.ts';

const NOON_MS = Date.parse('2026-03-10T12:00:00Z');
const DAY_MS = 86_400_000;
/** Two chunks and a half. */
const RECORDS = 2.5 * CHUNK_ENTRIES;

function open(t: Test, bytesMax = 2 ** 32) {
  const directory = createDirectory(t);
  const writer = new HistoryWriter({
    directory,
    isSynced: false,
    retentionMs: DAY_MS,
    labelledKeptMs: 0,
    bytesMax,
  });
  const reader = new HistoryReader(directory);
  t.teardown(() => {
    writer.close();
    reader.close();
  });
  let number = 0;
  const append = (records: readonly LogRecord[], nowMs: number) => {
    number += 1;
    writer.append({ writer: 'test', number, texts: records.map((record) => JSON.stringify(record)) }, nowMs);
  };
  return { directory, writer, reader, append };
}

/** One in forty is a gap, which has a number too. */
function openMixture(t: Test) {
  const opened = open(t);
  const random = createRandom(5);
  const all: LogRecord[] = Array.from({ length: RECORDS }, (_, serial) =>
    serial % 40 === 7 ? createGapRecord(NOON_MS, serial) : createMixed(random, NOON_MS, serial),
  );
  for (let place = 0; place < all.length; place += 700)
    opened.append(all.slice(place, place + 700), place < all.length / 2 ? NOON_MS : NOON_MS + DAY_MS);
  const records = all.filter((record): record is DecisionRecord => record.kind === 'decision');
  const labels = new Map<string, (typeof OUTCOME_LABELS)[number]>();
  for (const { decision_id: id } of records.filter((_, place) => place % 500 === 3)) {
    const label = pick(random, OUTCOME_LABELS);
    labels.set(id, label);
    opened.writer.label(id, { label, at: toRfc3339(NOON_MS), note: null, caller: 'c' }, true);
  }
  const sinceMs = NOON_MS - MIXED_SPAN_MS;
  return {
    ...opened,
    all,
    records,
    labels,
    labelledAt: toRfc3339(NOON_MS),
    sinceMs,
    untilMs: NOON_MS + PERIOD_MS.minute,
  };
}

t.test('packs a column into as few bytes as its values need', async (t) => {
  for (const [max, bytes] of [
    [255, 3],
    [256, 6],
    [65_535, 6],
    [65_536, 12],
    [4_294_967_295, 12],
  ] as const) {
    const packed = packColumn([0, max, 7]);
    t.equal(packed.length, bytes);
    t.same([...unpackColumn(packed, 3)], [0, max, 7]);
    const moved = new Uint8Array(bytes + 1).subarray(1);
    moved.set(packed);
    t.same([...unpackColumn(moved, 3)], [0, max, 7], 'wherever its bytes begin');
  }
  t.throws(() => unpackColumn(new Uint8Array(7), 3), RangeError);
});

t.test('counts as a plain look at every record does', async (t) => {
  const mixture = openMixture(t);
  const { reader, sinceMs, untilMs } = mixture;
  const check = (name: string, filter: RecordFilter, by: readonly GroupKey[], stepMs: number) => {
    const window = { since: toRfc3339(sinceMs), until: toRfc3339(untilMs), ...filter };
    const grouping = { sinceMs: Date.parse(window.since ?? ''), stepMs, by };
    const found = groupSegments(reader.allBack(), { filter: window, ...grouping });
    t.equal(found.coveredFromMs, null);
    t.same(toPlain(found), groupPlainly(mixture, window, grouping), name);
  };
  for (const [place, key] of ALL_GROUP_KEYS.entries())
    check(key, {}, [key, ...ALL_GROUP_KEYS.slice(place + 1, place + 2)], 30 * PERIOD_MS.minute);
  for (const [name, filter] of Object.entries(MIXED_FILTERS))
    check(name, filter, ['rule', 'country'], DAY_MS);
  const part = { since: toRfc3339(sinceMs + PERIOD_MS.hour), until: toRfc3339(untilMs - PERIOD_MS.hour) };
  check('a part of the time', part, ['decision', 'asn'], 7 * PERIOD_MS.minute);
});

t.test('counts a segment that is over once, and again when a label has changed it', async (t) => {
  const mixture = openMixture(t);
  const { reader, writer, records, labels, sinceMs, untilMs } = mixture;
  const memory = new TallyMemory();
  const ask = (filter: RecordFilter, by: readonly GroupKey[]) => {
    const window = { since: toRfc3339(sinceMs), until: toRfc3339(untilMs), ...filter };
    const grouping = { sinceMs, stepMs: 30 * PERIOD_MS.minute, by };
    const found = groupSegments(reader.allBack(), { filter: window, ...grouping }, memory);
    t.same(toPlain(found), groupPlainly(mixture, window, grouping), JSON.stringify([filter, by]));
  };
  const questions = [
    [{}, ['country']],
    [{}, ['country', 'label']],
    [{ decision: 'BLOCK' }, ['country']],
    [{ label: 'fraud' }, []],
  ] as const;
  const segment = reader.segment(reader.segments()[0] ?? '');
  if (segment === null) throw new Error('there is a first day');
  const read = t.capture(segment.columns, 'chunks', segment.columns.chunks.bind(segment.columns));
  for (const [filter, by] of [...questions, ...questions]) ask(filter, by);
  t.equal(read().length, questions.length, 'each question looks at it once');
  const unlabelled = records.find(({ decision_id: id }) => !labels.has(id))?.decision_id ?? '';
  const label = { label: 'fraud', at: toRfc3339(NOON_MS), note: null, caller: 'c' } as const;
  writer.label(unlabelled, label, true);
  (labels as Map<string, string>).set(unlabelled, 'fraud');
  for (const [filter, by] of questions) ask(filter, by);
});

t.test('finds what a plain search of all records does, page by page', async (t) => {
  const { reader, all, labels, sinceMs } = openMixture(t);
  const filters: Readonly<Record<string, RecordFilter>> = {
    ...MIXED_FILTERS,
    'a label and gaps': { label: 'fraud', includesGaps: true },
    'an hour and gaps': {
      since: toRfc3339(sinceMs),
      until: toRfc3339(sinceMs + 600_000),
      includesGaps: true,
    },
    'an hour of a country': { country: 'DE', since: toRfc3339(sinceMs), until: toRfc3339(sinceMs + 600_000) },
  };
  for (const [name, filter] of Object.entries(filters)) {
    const isFound = (record: LogRecord) => matchesFilter(record, filter, labels.get(idOf(record)) ?? null);
    const expected = all.filter(isFound).map(idOf).reverse();
    const found: string[] = [];
    let before: string | null = null;
    do {
      const page = reader.query(filter, { before, limit: 700 });
      found.push(...page.entries.map(({ text }) => idOf(JSON.parse(text) as LogRecord)));
      before = page.next;
    } while (before !== null);
    t.same(found, expected, `${name}: ${expected.length}`);
  }
});

t.test('counts the subjects of whole hours and of parts of them', async (t) => {
  const { reader, records, sinceMs, untilMs } = openMixture(t);
  const spans = [
    [sinceMs, untilMs],
    [sinceMs, NOON_MS - PERIOD_MS.hour],
    [sinceMs + 20 * PERIOD_MS.minute, untilMs - 20 * PERIOD_MS.minute],
    [sinceMs + PERIOD_MS.hour, sinceMs + PERIOD_MS.hour + 10 * PERIOD_MS.minute],
  ] as const;
  for (const [fromMs, toMs] of spans)
    for (const more of [{}, { decision: 'BLOCK' }, { account: [hashOf('ac', 1)] }] as const) {
      const filter = { since: toRfc3339(fromMs), until: toRfc3339(toMs), ...more };
      const about = records.filter((record) => matchesFilter(record, filter, null));
      const { subjects, coveredFromMs } = countDistinct(reader.allBack(), filter);
      t.equal(coveredFromMs, null);
      for (const part of SUBJECT_PARTS) {
        const exact = new Set(about.flatMap(({ subject }) => hashesOfPart(subject, part))).size;
        t.ok(Math.abs(subjects[part] - exact) <= 0.03 * exact, `${part}: ${subjects[part]} of ${exact}`);
      }
    }
});

t.test('looks at a bounded number of entries of one subject, and says so', async (t) => {
  const { reader, append } = open(t);
  const busy = 'd'.repeat(32);
  for (let batch = 0; batch < 11; batch += 1)
    append(
      Array.from({ length: 500 }, (_, place) =>
        createDecisionRecord(NOON_MS + batch * 1000, batch * 500 + place, {
          subject: { telemetry: null, devices: [busy], account: String(place).padStart(32, 'a'), ip: null },
        }),
      ),
      NOON_MS,
    );
  const found = describeSubject(reader.allBack(), 'device', busy);
  t.match(found, { total: 5_000, isWhole: false, firstSeenMs: NOON_MS + 1000, lastSeenMs: NOON_MS + 10_000 });
  t.equal(found?.seenWith.account.distinct, 500);
});

t.test('finds every action, also beyond those that have a number', async (t) => {
  const { reader, append } = open(t);
  const records = Array.from({ length: 1_200 }, (_, serial) =>
    createDecisionRecord(NOON_MS, serial, { action: serial === 5 ? null : `action-${serial}` }),
  );
  append(records, NOON_MS);
  for (const serial of [0, 999, 1_100, 1_199]) {
    const { entries } = reader.query({ action: `action-${serial}` }, { before: null, limit: 5 });
    t.same(
      entries.map(({ text }) => idOf(JSON.parse(text) as LogRecord)),
      [records[serial]?.decision_id],
    );
  }
  const grouping = { sinceMs: NOON_MS, stepMs: DAY_MS, by: ['action'] } as const;
  const filter = { since: toRfc3339(NOON_MS), until: toRfc3339(NOON_MS + DAY_MS) };
  const { steps } = groupSegments(reader.allBack(), { filter, ...grouping });
  t.equal(steps[0]?.total, 1_200);
  t.equal(steps[0]?.counts.size, 1_000, 'only those are counted by their names');
});

t.test('puts the last entries of a segment into a chunk when the next one begins', async (t) => {
  const { directory, reader, append } = open(t);
  const lastInChunks = (place: number) => {
    const db = new DatabaseSync(join(directory, `${reader.segments()[place]}.sqlite`), { readOnly: true });
    const last = db.prepare('SELECT max(last) AS last FROM chunks').get()?.['last'];
    db.close();
    return last;
  };
  for (let day = 0; day < 2; day += 1)
    append(
      Array.from({ length: 30 }, (_, serial) => createDecisionRecord(NOON_MS, day * 100 + serial)),
      NOON_MS + day * DAY_MS,
    );
  t.equal(lastInChunks(0), 30);
  t.equal(lastInChunks(1), null);
  const grouping = { sinceMs: NOON_MS, stepMs: DAY_MS, by: ['decision'] } as const;
  const filter = { since: toRfc3339(NOON_MS), until: toRfc3339(NOON_MS + DAY_MS) };
  t.equal(groupSegments(reader.allBack(), { filter, ...grouping }).steps[0]?.total, 60);
});

t.test('fails where a chunk lacks a column', async (t) => {
  const { directory, reader, append } = open(t);
  append(
    Array.from({ length: CHUNK_ENTRIES + 1 }, (_, serial) => createDecisionRecord(NOON_MS, serial)),
    NOON_MS,
  );
  const db = new DatabaseSync(join(directory, `${reader.segments()[0]}.sqlite`));
  db.exec('DELETE FROM columns');
  db.close();
  t.throws(() => reader.query({}, { before: null, limit: 5 }), { code: 'DAMAGED' });
  const none = reader.query({ caller: 'nobody' }, { before: null, limit: 5 });
  t.same(none.entries, [], 'what a segment has no such value of needs no look');
});
