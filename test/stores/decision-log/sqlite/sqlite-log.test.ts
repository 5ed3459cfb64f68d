import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createLogger } from '../../../../src/platform/logger.ts';
import { toHistoryDirectory } from '../../../../src/stores/decision-log/sqlite/history-directory.ts';
import { sqlite } from '../../../../src/stores/decision-log/sqlite/index.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';
import { openSink } from '../../../support/open-sink.ts';
import { createDirectory } from '../../../support/test-app.ts';

function settingsOf(dataDirectory: string) {
  return { dataDirectory, retentionMs: 90 * 86_400_000, labelledKeptMs: 0, bytesMax: 2 ** 30 };
}

async function open(t: Pick<Test, 'teardown'>, dataDirectory: string) {
  let lines = '';
  const { logger } = createLogger('info', {
    write: (text: string) => {
      lines += text;
    },
  });
  const { sink, reader, close } = await openSink(t, sqlite, settingsOf(dataDirectory), { logger });
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
