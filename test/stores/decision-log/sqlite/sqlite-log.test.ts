import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { idOf } from '../../../../src/domain/decision-log/decision-record.ts';
import { createLogger } from '../../../../src/platform/logger.ts';
import { toHistoryDirectory } from '../../../../src/stores/decision-log/sqlite/history-directory.ts';
import { HistoryWriter } from '../../../../src/stores/decision-log/sqlite/history-writer.ts';
import { sqlite } from '../../../../src/stores/decision-log/sqlite/index.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';
import { openSink } from '../../../support/open-sink.ts';
import { createDirectory, until } from '../../../support/test-app.ts';

const DAY_MS = 86_400_000;

function settingsOf(dataDirectory: string) {
  return { dataDirectory, retentionMs: 90 * DAY_MS, labelledKeptMs: 0, bytesMax: 2 ** 30 };
}

async function open(t: Pick<Test, 'teardown'>, dataDirectory: string, settings = {}) {
  let lines = '';
  const { logger } = createLogger('info', {
    write: (text: string) => {
      lines += text;
    },
  });
  const { sink, reader, close } = await openSink(
    t,
    sqlite,
    { ...settingsOf(dataDirectory), ...settings },
    { logger },
  );
  if (reader === null) throw new Error('a history can be read');
  return { sink, reader, close, lines: () => lines };
}

t.test('outlives the process: records, labels, counts, positions and cursors', async (t) => {
  const directory = createDirectory(t);
  const timeMs = Date.now();
  const records = Array.from({ length: 600 }, (_, serial) => createDecisionRecord(timeMs, serial));
  const [labelled] = records;
  if (labelled === undefined) throw new Error('no record');
  const span = { sinceMs: timeMs - 3_600_000, untilMs: timeMs + 1, period: 'hour' } as const;
  const first = await open(t, directory);
  t.equal(await first.sink.append({ number: 1, records }), true);
  const label = { label: 'fraud', at: labelled.decided_at, note: null, caller: 'shop' } as const;
  await first.reader.label(labelled.decision_id, label, true);
  const page = await first.reader.query({}, { before: null, limit: 20 });
  const counts = await first.reader.counts(span);
  await first.close();
  t.equal(await first.sink.append({ number: 2, records }), false, 'it is closed');

  const { reader } = await open(t, directory);
  t.strictSame(await reader.query({}, { before: null, limit: 20 }), page);
  const next = await reader.query({}, { before: page.next, limit: 1 });
  t.strictSame(next.entries[0]?.record, records.at(-21), 'a cursor leads on');
  t.match(await reader.find(labelled.decision_id), { record: labelled, labels: [label] });
  t.strictSame(await reader.counts(span), counts);
});

t.test('reads what is new while other questions wait for each other', async (t) => {
  const { sink, reader } = await open(t, createDirectory(t));
  const records = Array.from({ length: 500 }, (_, serial) => createDecisionRecord(Date.now(), serial));
  await sink.append({ number: 1, records });
  const after = await reader.newest();
  let answered = 0;
  const pages = Array.from({ length: 40 }, async () => {
    await reader.query({}, { before: null, limit: 200 });
    answered += 1;
  });
  await sink.append({ number: 2, records: [createDecisionRecord(Date.now(), 1_000)] });
  const { entries } = await reader.readAfter(after, 10);
  t.equal(entries.length, 1);
  t.ok(answered < pages.length, `${answered} of ${pages.length} were answered before it`);
  await Promise.all(pages);
});

t.test('another process is another version: what it counts may have changed meanwhile', async (t) => {
  const directory = createDirectory(t);
  const first = await open(t, directory);
  const version = await first.reader.version();
  await first.close();
  const { reader } = await open(t, directory);
  t.not(await reader.version(), version);
});

t.test('says that it cannot write, once, and that it can again', async (t) => {
  const directory = createDirectory(t);
  const { sink, reader, lines } = await open(t, directory);
  const record = createDecisionRecord(Date.now(), 1);
  const history = toHistoryDirectory(directory);
  for (const name of readdirSync(history)) if (name.includes('sqlite')) rmSync(join(history, name));
  t.equal(await sink.append({ number: 1, records: [record] }), false, 'the file was removed');
  t.match(lines(), /"event":"decision_log.sqlite_failed","code":"FILE_MOVED"/);
  t.equal(await sink.append({ number: 1, records: [record] }), true, 'a new one was begun');
  t.match(lines(), /"event":"decision_log.sqlite_recovered"/);
  t.match(await reader.find(record.decision_id), { record });
});

t.test('does not open where another process writes, or nothing can be written', async (t) => {
  const directory = createDirectory(t);
  await open(t, directory);
  await t.rejects(open(t, directory), /DATA_DIR: another process writes to this history/);
  t.match(sqlite.check(settingsOf('/dev/null/data')), [
    /^DATA_DIR \/dev\/null\/data: cannot be written \(ENOTDIR\)$/,
  ]);
});

t.test('gives removed files back to the disk also while a day is thinned', async (t) => {
  const dataDirectory = createDirectory(t);
  const directory = toHistoryDirectory(dataDirectory);
  const kept = { retentionMs: 2 * DAY_MS, labelledKeptMs: 90 * DAY_MS };
  const writer = new HistoryWriter({ directory, isSynced: false, bytesMax: 2 ** 30, ...kept });
  const oldMs = Date.now() - 10 * DAY_MS;
  const records = Array.from({ length: 1_500 }, (_, serial) => createDecisionRecord(oldMs + serial, serial));
  const texts = records.map((record) => JSON.stringify(record));
  writer.append({ writer: 'before', number: 1, texts }, oldMs);
  const label = { label: 'fraud', at: new Date().toISOString(), note: null, caller: 'shop' } as const;
  writer.labelAll(records.map((record) => ({ id: idOf(record), label, isTimeGiven: true, seen: null })));
  writer.close();
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const { sink, reader, lines } = await open(t, dataDirectory, kept);
  await sink.append({ number: 1, records: [createDecisionRecord(Date.now(), 9_999)] });
  await reader.newest();
  await reader.query({}, { before: null, limit: 1 });
  const removed = join(directory, '20250101-0001.sqlite.removed');
  writeFileSync(removed, 'of an append that had no more room');
  mock.timers.tick(60_000);
  mock.timers.tick(60_000);
  await until('it is gone', () => !existsSync(removed));
  t.notMatch(lines(), /thinned_files/, 'the day is not thinned yet');
  t.notOk(readdirSync(directory).some((name) => name.endsWith('.thinned.sqlite')));
  await until('the day is thinned', () => /"thinned_files":1/.test(lines()));
});

t.test('tells at once that files made room for an append, and gives their bytes back', async (t) => {
  const dataDirectory = createDirectory(t);
  // What is done each minute has no part in it.
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const { sink, reader, lines } = await open(t, dataDirectory, { bytesMax: 1024 * 1024 });
  const nowMs = Date.now();
  const longAgo = { sinceMs: nowMs - DAY_MS, untilMs: nowMs - DAY_MS + 1, period: 'hour' } as const;
  const versions = () => reader.countVersions(longAgo);
  const before = await versions();
  const isTold = () => lines().includes('"event":"decision_log.sqlite_tidied"');
  let number = 0;
  for (; !isTold() && number < 200; number += 1) {
    t.same(await versions(), before, 'nothing was removed');
    const records = Array.from({ length: 100 }, (_, place) =>
      createDecisionRecord(nowMs, number * 100 + place, { request_id: randomBytes(300).toString('hex') }),
    );
    t.equal(await sink.append({ number, records }), true);
  }
  t.match(lines(), /"removed_files":[1-9]\d*,"thinned_files":0/);
  t.notSame(await versions(), before, 'what was counted may be too much now');
  const names = () => readdirSync(toHistoryDirectory(dataDirectory));
  await until('the disk has their bytes again', () => !names().some((name) => name.endsWith('.removed')));
  t.notOk(
    names().some((name) => name.endsWith('-0001.sqlite')),
    'the first part has made room',
  );
});
