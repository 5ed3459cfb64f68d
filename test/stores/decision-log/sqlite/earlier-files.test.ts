import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { idOf, type LogRecord } from '../../../../src/domain/decision-log/decision-record.ts';
import { countSegments } from '../../../../src/stores/decision-log/sqlite/history-counts.ts';
import { HistoryReader } from '../../../../src/stores/decision-log/sqlite/history-reader.ts';
import { HistoryWriter } from '../../../../src/stores/decision-log/sqlite/history-writer.ts';
import { SCHEMA_VERSION } from '../../../../src/stores/decision-log/sqlite/segment-file.ts';
import { compactHistory, verifyHistory } from '../../../../src/stores/decision-log/sqlite/upkeep.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';
import { answersOf } from '../../../support/history-answers.ts';
import { ROOT } from '../../../support/start-program.ts';
import { createDirectory } from '../../../support/test-app.ts';

const FIXTURES = join(ROOT, 'test/fixtures/history');
const VERSIONS = readdirSync(FIXTURES).filter((name) => name.startsWith('version-'));
const DAY_MS = 86_400_000;
const LAST_DAY_MS = Date.parse('2026-06-03T00:00:00Z');
const LIMITS = { retentionMs: 3_660 * DAY_MS, labelledKeptMs: 3_660 * DAY_MS, bytesMax: 2 ** 40 };

/** The files of a version in a folder of the test, and the texts of their records, oldest first. */
function unpack(t: Test, version: string) {
  const dataDirectory = createDirectory(t);
  const directory = join(dataDirectory, 'history');
  mkdirSync(directory);
  const read = (name: string) => zstdDecompressSync(readFileSync(join(FIXTURES, version, name)));
  const names = readdirSync(join(FIXTURES, version)).filter((name) => name.endsWith('.sqlite.zst'));
  for (const name of names) writeFileSync(join(directory, name.slice(0, -'.zst'.length)), read(name));
  const texts = read('records.ndjson.zst').toString().trimEnd().split('\n');
  const reader = new HistoryReader(directory);
  t.teardown(() => reader.close());
  return { dataDirectory, directory, reader, texts };
}

t.ok(VERSIONS.includes('version-5'), 'the first that is read for ever');
t.ok(VERSIONS.includes(`version-${SCHEMA_VERSION}`), 'and the present one');

for (const version of VERSIONS) {
  t.test(`reads the files of ${version}, to the character`, async (t) => {
    const { dataDirectory, reader, texts } = unpack(t, version);
    const { entries } = reader.readAfter(null, 10_000);
    t.same(
      entries.map(({ text }) => text),
      texts,
    );
    const last = JSON.parse(texts.at(-1) ?? '') as LogRecord;
    t.equal(reader.find(idOf(last))?.text, texts.at(-1));
    t.equal(reader.query({ label: 'fraud' }, { before: null, limit: 1_000 }).entries.length, 62);
    const span = {
      sinceMs: LAST_DAY_MS,
      untilMs: LAST_DAY_MS + DAY_MS,
      period: 'hour',
      stepMs: DAY_MS,
    } as const;
    const [day] = countSegments(reader.all(), span);
    const verdicts = ['ALLOW', 'CHALLENGE', 'BLOCK'].map(
      (verdict) => day?.counts.get(`decision:${verdict}`) ?? 0,
    );
    t.equal(
      verdicts.reduce((sum, count) => sum + count, 0),
      60,
    );
    const problems = [...verifyHistory(dataDirectory, false)].flatMap((file) => file.problems);
    t.same(problems, []);
  });

  t.test(`answers by summaries of the days of ${version}`, async (t) => {
    const { directory, reader } = unpack(t, version);
    const window = { sinceMs: LAST_DAY_MS - 2 * DAY_MS, untilMs: LAST_DAY_MS + DAY_MS };
    const plain = answersOf(reader, window, { nothing: {}, verdict: { decision: 'BLOCK' } });
    let made = 0;
    while (reader.summarise()) made += 1;
    t.equal(made, 1, 'of the day that is over and whole');
    const other = new HistoryReader(directory);
    t.teardown(() => other.close());
    t.same([...answersOf(other, window, { nothing: {}, verdict: { decision: 'BLOCK' } })], [...plain]);
  });

  t.test(`compacts the files of ${version}, and loses nothing`, async (t) => {
    const { dataDirectory, directory, reader, texts } = unpack(t, version);
    reader.close();
    for (const { problem } of compactHistory(dataDirectory)) t.equal(problem, null);
    const compacted = new HistoryReader(directory);
    t.teardown(() => compacted.close());
    t.same(
      compacted.readAfter(null, 10_000).entries.map(({ text }) => text),
      texts,
    );
    t.equal(compacted.query({ label: 'fraud' }, { before: null, limit: 1_000 }).entries.length, 62);
  });

  t.test(`goes on with the files of ${version}`, async (t) => {
    const { directory, reader, texts } = unpack(t, version);
    const writer = new HistoryWriter({ directory, isSynced: false, ...LIMITS });
    t.teardown(() => writer.close());
    const record = createDecisionRecord(LAST_DAY_MS + DAY_MS - 1, 1);
    writer.append({ writer: 'test', number: 1, texts: [JSON.stringify(record)] }, LAST_DAY_MS + DAY_MS - 1);
    const label = { label: 'legit', at: '2026-06-06T00:00:00.000Z', note: null, caller: 'test' } as const;
    const [first = ''] = texts;
    t.match(writer.label(idOf(JSON.parse(first) as LogRecord), label, true), { kind: 'recorded' });
    t.equal(reader.readAfter(null, 10_000).entries.at(-1)?.text, JSON.stringify(record));
    const isPresent = version === `version-${SCHEMA_VERSION}`;
    t.equal(reader.segments().at(-1), isPresent ? '20260603-0001' : '20260603-0002', 'in a file of its own');
    t.equal(reader.query({ label: 'legit' }, { before: null, limit: 10 }).entries.length, 1);
  });
}
