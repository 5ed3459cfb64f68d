import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import type { LogRecord } from '../../../../src/domain/decision-log/decision-record.ts';
import { idOf } from '../../../../src/domain/decision-log/decision-record.ts';
import { matchesFilter } from '../../../../src/domain/decision-log/record-filter.ts';
import { toRfc3339 } from '../../../../src/platform/rfc3339.ts';
import { HistoryReader } from '../../../../src/stores/decision-log/sqlite/history-reader.ts';
import { HistoryWriter } from '../../../../src/stores/decision-log/sqlite/history-writer.ts';
import { createDecisionRecord, createGapRecord } from '../../../support/decision-records.ts';
import { createDirectory } from '../../../support/test-app.ts';

const DAY_MS = 86_400_000;
const NOON_MS = Date.parse('2026-03-10T12:00:00Z');

function open(t: Pick<Test, 'teardown'>, changes: { directory?: string; bytesMax?: number } = {}) {
  const directory = changes.directory ?? createDirectory(t);
  const bytesMax = changes.bytesMax ?? 2 ** 30;
  const writer = new HistoryWriter({
    directory,
    isSynced: true,
    retentionMs: 2 * DAY_MS,
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

function idsOf(entries: readonly { readonly text: string }[]): string[] {
  return entries.map(({ text }) => idOf(JSON.parse(text) as LogRecord));
}

const ALL = { before: null, limit: 10_000 };

t.test('begins a file each day, and never one of an earlier day', async (t) => {
  const { reader, append } = open(t);
  const times = [
    NOON_MS,
    NOON_MS + DAY_MS,
    NOON_MS + DAY_MS - 3_600_000,
    NOON_MS - DAY_MS,
    NOON_MS + 2 * DAY_MS,
  ];
  const records = times.map((timeMs, serial) => createDecisionRecord(timeMs, serial));
  for (const [place, timeMs] of times.entries()) append(records.slice(place, place + 1), timeMs);
  t.same(reader.segments(), ['20260310-0001', '20260311-0001', '20260312-0001']);
  t.same(idsOf(reader.readAfter(null, 100).entries), records.map(idOf), 'in the order of their arrival');
  for (const record of records) t.equal(reader.find(idOf(record))?.text, JSON.stringify(record));
});

t.test('keeps a batch once that is appended again, also by a thread that knows of nothing', async (t) => {
  const directory = createDirectory(t);
  const record = createDecisionRecord(NOON_MS, 1);
  const batch = { writer: 'process-1', number: 7, texts: [JSON.stringify(record)] };
  for (let thread = 0; thread < 2; thread += 1) {
    const writer = new HistoryWriter({
      directory,
      isSynced: true,
      retentionMs: DAY_MS,
      labelledKeptMs: 0,
      bytesMax: 2 ** 30,
    });
    writer.append(batch, NOON_MS);
    writer.append(batch, NOON_MS + DAY_MS);
    writer.close();
  }
  const { reader, append } = open(t, { directory });
  t.same(idsOf(reader.query({}, ALL).entries), [idOf(record)]);
  append([createDecisionRecord(NOON_MS, 2)], NOON_MS);
  t.equal(reader.query({}, ALL).entries.length, 2, 'another batch is another');
});

t.test('lets only the owner and the group read', async (t) => {
  const { directory, append } = open(t);
  append([createDecisionRecord(NOON_MS, 1)], NOON_MS);
  for (const name of readdirSync(directory)) {
    if (name !== 'lock') t.equal(statSync(join(directory, name)).mode & 0o137, 0, name);
  }
});

t.test('lets no second process write to a directory', async (t) => {
  const { directory } = open(t);
  t.throws(() => open(t, { directory }), /locked/);
});

t.test('removes days that are too old, and the oldest files while all are too large', async (t) => {
  const { reader, writer, append } = open(t);
  for (let day = 0; day < 5; day += 1)
    append([createDecisionRecord(NOON_MS + day * DAY_MS, day)], NOON_MS + day * DAY_MS);
  const old = reader.readAfter(null, 1).position;
  t.match(writer.tidy(NOON_MS + 4 * DAY_MS), { removed: 2 }, 'the first two ended more than two days ago');
  t.equal(reader.segments()[0], '20260312-0001');
  t.equal(reader.readAfter(old, 100).isGap, true, 'what followed the position may be gone');
  t.match(writer.tidy(NOON_MS + 40 * DAY_MS), { removed: 2 }, 'the file that is written to stays');
  t.same(reader.segments(), ['20260314-0001']);
});

t.test('leaves removed days to the disk, whoever has read them', async (t) => {
  const { directory, reader, writer, append } = open(t);
  const heldOpen = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        const path = readlinkSync(join('/proc/self/fd', fd));
        return path.startsWith(directory) && path.endsWith('(deleted)');
      } catch (error) {
        // That of the listing itself is closed by now.
        if (Reflect.get(Object(error), 'code') !== 'ENOENT') throw error;
        return false;
      }
    }).length;
  for (let day = 0; day < 5; day += 1)
    append([createDecisionRecord(NOON_MS + day * DAY_MS, day)], NOON_MS + day * DAY_MS);
  t.equal(reader.query({}, ALL).entries.length, 5);
  const label = { label: 'fraud', at: toRfc3339(NOON_MS), note: null, caller: 'shop' } as const;
  for (let day = 0; day < 5; day += 1)
    writer.label(idOf(createDecisionRecord(NOON_MS + day * DAY_MS, day)), label, true);
  t.match(writer.tidy(NOON_MS + 40 * DAY_MS), { removed: 4 });
  t.ok(heldOpen() > 0, 'as long as the reader has not looked');
  const aside = () => readdirSync(directory).filter((name) => name.endsWith('.removed')).length;
  t.equal(aside(), 4, 'their bytes are freed apart');
  writeFileSync(join(directory, '20250101-0001.sqlite.removed'), 'of a process that was killed');
  reader.closeRemoved();
  await writer.free();
  t.equal(aside(), 0);
  t.equal(heldOpen(), 0);
  t.equal(reader.query({}, ALL).entries.length, 1);
});

t.test('begins another part of a day before a file grows too large, and holds the bound', async (t) => {
  const bytesMax = 4 * 1024 * 1024;
  const { directory, reader, append } = open(t, { bytesMax });
  const files = () => readdirSync(directory).filter((name) => name.endsWith('.sqlite'));
  const bytes = () => files().reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  for (let round = 0; round < 60; round += 1) {
    const records = Array.from({ length: 250 }, (_, place) =>
      createDecisionRecord(NOON_MS, round * 250 + place, {
        request_id: randomBytes(300).toString('hex'),
      }),
    );
    append(records, NOON_MS);
  }
  const names = reader.segments();
  t.ok(names.length > 1 && names.every((name) => name.startsWith('20260310-')), names.join());
  t.notMatch(names, ['20260310-0001'], 'the oldest part made room');
  t.ok(bytes() <= bytesMax * (1 + 2 / 16), `${bytes()} bytes`);
  t.equal(idsOf(reader.query({}, { before: null, limit: 1 }).entries).length, 1);
});

t.test('does not count on a file that was moved away, and goes on in a new one', async (t) => {
  const { directory, reader, append } = open(t);
  append([createDecisionRecord(NOON_MS, 1)], NOON_MS);
  renameSync(join(directory, '20260310-0001.sqlite'), join(directory, 'elsewhere'));
  t.throws(() => append([createDecisionRecord(NOON_MS, 2)], NOON_MS), { code: 'FILE_MOVED' });
  append([createDecisionRecord(NOON_MS, 3)], NOON_MS);
  t.same(idsOf(reader.query({}, ALL).entries), [idOf(createDecisionRecord(NOON_MS, 3))]);
});

t.test('fails loudly on damage and on files of a later version', async (t) => {
  const { directory, reader, append } = open(t);
  append(
    Array.from({ length: 300 }, (_, serial) => createDecisionRecord(NOON_MS, serial)),
    NOON_MS,
  );
  change(directory, '20260310-0001', "UPDATE blocks SET body = x'28b52ffd00'");
  t.throws(() => reader.query({}, ALL), { code: /^Z/ });
  change(directory, '20260311-0001', 'PRAGMA user_version = 99');
  t.throws(() => reader.find('nothing'), { code: 'LATER_VERSION' });
  t.throws(() => append([], NOON_MS + DAY_MS), { code: 'LATER_VERSION' });
  writeFileSync(join(directory, '20260312-0001.sqlite'), 'no database, and longer than a header'.repeat(40));
  t.throws(() => reader.newest(), { code: 'ERR_SQLITE_ERROR' });
});

function change(directory: string, segment: string, sql: string): void {
  const db = new DatabaseSync(join(directory, `${segment}.sqlite`));
  db.exec(sql);
  db.close();
}

t.test('finds the same as a plain search of all records, page by page', async (t) => {
  const { reader, append } = open(t);
  const records = createMixture();
  for (let place = 0; place < records.length; place += 170)
    append(records.slice(place, place + 170), NOON_MS + Math.floor(place / 1000) * DAY_MS);
  for (const [name, filter] of Object.entries(FILTERS)) {
    const expected = records
      .filter((record) => matchesFilter(record, filter, null))
      .map(idOf)
      .reverse();
    const found: string[] = [];
    let before: string | null = null;
    do {
      const page = reader.query(filter, { before, limit: 13 });
      t.ok(page.entries.length <= 13);
      found.push(...idsOf(page.entries));
      before = page.next;
    } while (before !== null);
    t.same(found, expected, `${name}: ${expected.length}`);
  }
});

const hash = (kind: string, number: number) =>
  `${kind}${number}`.padStart(32, '0').replaceAll(/[^\da-f]/g, 'a');

/** Records of all kinds over some hours, gaps among them, now and then with times out of order. */
function createMixture(): LogRecord[] {
  return Array.from({ length: 2_500 }, (_, serial) => {
    const timeMs = NOON_MS + serial * 10_000 - (serial % 97 === 0 ? 7_200_000 : 0);
    if (serial % 211 === 0) return createGapRecord(timeMs, serial);
    const block = serial % 50 === 0;
    return createDecisionRecord(timeMs, serial, {
      decision: block ? 'BLOCK' : serial % 3 === 0 ? 'CHALLENGE' : 'ALLOW',
      caller: serial % 2 === 0 ? 'shop' : 'bank',
      action: `action-${serial % 60}`,
      // More shapes than are looked up one by one.
      policy: { id: 'default', hash: `sha256:${serial % 70}` },
      subject: {
        hash_key: '0a1b2c3d',
        telemetry: serial % 7 === 0 ? null : hash('a', serial % 40),
        devices: [hash('b', serial % 30), hash('c', serial % 11)],
        account: serial % 5 === 0 ? hash('d', serial % 200) : null,
      },
    });
  });
}

const HOURS = { since: toRfc3339(NOON_MS + 3_600_000), until: toRfc3339(NOON_MS + 3 * 3_600_000) };
const FILTERS = {
  everything: {},
  'everything and gaps': { includesGaps: true },
  hours: HOURS,
  'hours and gaps': { ...HOURS, includesGaps: true },
  'a verdict': { decision: 'BLOCK' },
  'a common verdict with gaps': { decision: 'ALLOW', includesGaps: true },
  'an action': { action: 'action-7' },
  'a policy': { policy: 'sha256:7' },
  'a verdict and gaps': { decision: 'BLOCK', includesGaps: true },
  'an action of hours': { action: 'action-7', ...HOURS },
  'a device': { device: [hash('b', 4)] },
  'a device under two keys': { device: [hash('b', 4), hash('c', 3)] },
  'a device, a caller and gaps': { device: [hash('c', 3)], caller: 'bank', includesGaps: true },
  'a telemetry id and an account': { telemetry: [hash('a', 5)], account: [hash('d', 45)] },
  nothing: { caller: 'nobody' },
  'before all': { until: toRfc3339(NOON_MS - 10 * DAY_MS) },
  'after all': { since: toRfc3339(NOON_MS + 10 * DAY_MS), includesGaps: true },
} as const;

t.test('removes nothing where a command writes, whose retention is not that of the service', async (t) => {
  const directory = createDirectory(t);
  const writer = new HistoryWriter({
    directory,
    isSynced: true,
    retentionMs: 0,
    labelledKeptMs: 0,
    bytesMax: 1,
    keepsAll: true,
  });
  const reader = new HistoryReader(directory);
  t.teardown(() => {
    writer.close();
    reader.close();
  });
  for (const day of [0, 1, 2]) {
    const timeMs = NOON_MS + day * DAY_MS;
    writer.append(
      { writer: 'test', number: day + 1, texts: [JSON.stringify(createDecisionRecord(timeMs, day))] },
      timeMs,
    );
  }
  t.match(writer.tidy(NOON_MS + 100 * DAY_MS), { removed: 0, isMore: false });
  t.equal(reader.segments().length, 3);
});
