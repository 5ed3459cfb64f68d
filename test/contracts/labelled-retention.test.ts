import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { DecisionLogReader } from '../../src/application/decision-log/decision-log.ts';
import { type DecisionRecord, idOf } from '../../src/domain/decision-log/decision-record.ts';
import { Connector } from '../../src/stores/decision-log/postgres/connect.ts';
import { parseServerUrl } from '../../src/stores/decision-log/postgres/server-address.ts';
import { tidy } from '../../src/stores/decision-log/postgres/tidy.ts';
import { groupSegments } from '../../src/stores/decision-log/sqlite/history-groups.ts';
import { HistoryReader } from '../../src/stores/decision-log/sqlite/history-reader.ts';
import { HistoryWriter } from '../../src/stores/decision-log/sqlite/history-writer.ts';
import { openSqliteReader } from '../../src/stores/decision-log/sqlite/open-reader.ts';
import { toAged } from '../support/age-postgres.ts';
import { createDecisionRecord } from '../support/decision-records.ts';
import { openPostgresLog } from '../support/open-postgres-log.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import { createDirectory } from '../support/test-app.ts';

const DAY_MS = 86_400_000;
const LIMITS = { retentionMs: 90 * DAY_MS, labelledKeptMs: 365 * DAY_MS };
const BYTES_MAX = 2 ** 40;
const LABEL = { label: 'fraud', at: '2026-01-01T00:00:00.000Z', note: null, caller: 'c' } as const;
const ALL = { before: null, limit: 1000 };

/** A history whose content can be made older. */
interface AgingHistory {
  readonly reader: Pick<DecisionLogReader, 'query' | 'find' | 'readAfter' | 'newest' | 'labelsOf' | 'group'>;
  append(records: readonly DecisionRecord[]): Promise<unknown>;
  label(id: string): Promise<unknown>;
  age(days: number): Promise<unknown>;
  /** Until nothing is left to do. */
  tidy(bytesMax?: number): Promise<unknown>;
}

const server = await startPostgresServer(t, { settings: ['fsync = off', 'autovacuum = off'] });

async function openPostgres(t: Test): Promise<AgingHistory> {
  const url = await server.createDatabase();
  const { sink, reader } = await openPostgresLog(t, url);
  const address = parseServerUrl(url);
  if (address === null) throw new Error('a URL of ours');
  const connector = new Connector({ ...address, tls: null });
  const limits = { ...LIMITS, spanBytesMax: 2 ** 37, countsKeptMs: 30 * DAY_MS };
  let number = 0;
  return {
    reader,
    append: (records) => {
      number += 1;
      return Promise.resolve(sink.append({ number, records }));
    },
    label: (id) => reader.label(id, LABEL, true),
    age: (days) => server.query(toAged(days), new URL(url).pathname.slice(1)),
    tidy: (bytesMax = BYTES_MAX) => tidy({ connector, ...limits, bytesMax }),
  };
}

async function openSqlite(t: Test): Promise<AgingHistory> {
  const dataDirectory = createDirectory(t);
  const directory = join(dataDirectory, 'history');
  let [nowMs, number] = [Date.now(), 0];
  const use = <Value>(work: (writer: HistoryWriter) => Value, bytesMax = BYTES_MAX) => {
    const writer = new HistoryWriter({ directory, isSynced: false, ...LIMITS, bytesMax });
    try {
      return work(writer);
    } finally {
      writer.close();
    }
  };
  use(() => {});
  const { reader, close } = openSqliteReader(dataDirectory);
  const history = new HistoryReader(directory);
  t.teardown(async () => {
    history.close();
    await close();
  });
  return {
    reader: { ...reader, group: async (question) => groupSegments(history.allBack(), question) },
    append: async (records) => {
      number += 1;
      const texts = records.map((record) => JSON.stringify(record));
      use((writer) => writer.append({ writer: 'test', number, texts }, nowMs));
    },
    label: async (id) => use((writer) => writer.label(id, LABEL, true)),
    age: async (days) => {
      nowMs += days * DAY_MS;
    },
    tidy: async (bytesMax) =>
      use((writer) => {
        while (writer.tidy(nowMs).isMore);
      }, bytesMax),
  };
}

const ENGINES = {
  postgres: openPostgres,
  sqlite: openSqlite,
} as const;

const serials = (first: number, count: number, account: string | null = null) =>
  Array.from({ length: count }, (_, place) => {
    const subject = { hash_key: '0a1b2c3d', telemetry: null, devices: [], account };
    return createDecisionRecord(Date.now(), first + place, { subject });
  });

for (const [engine, open] of Object.entries(ENGINES)) {
  t.test(`${engine} keeps labelled decisions longer, with all that belongs to them`, async (t) => {
    const { reader, append, label, age, tidy } = await open(t);
    const account = 'a'.repeat(32);
    const records = serials(1, 300, account);
    await append(records);
    const labelled = [records[2], records[270], records[299]].filter((one) => one !== undefined);
    for (const { decision_id } of labelled) await label(decision_id);
    await age(91);
    const late = serials(1000, 1);
    await append(late);
    const before = await reader.readAfter(null, 1000);
    await tidy();
    const { entries } = await reader.readAfter(null, 1000);
    t.same(
      entries.map(({ record }) => record),
      [...labelled, ...late],
    );
    const kept = before.entries.filter(({ record }) =>
      entries.some((one) => idOf(one.record) === idOf(record)),
    );
    t.same(
      entries.map(({ position }) => position),
      kept.map(({ position }) => position),
      'a position stays what it was',
    );
    t.match(await reader.readAfter(before.entries[10]?.position ?? '', 10), { isGap: true });
    for (const record of labelled)
      t.match(await reader.find(record.decision_id), { record, labels: [LABEL] });
    t.equal(await reader.find(records[3]?.decision_id ?? ''), null);
    t.equal((await reader.labelsOf(entries)).size, labelled.length);
    t.equal((await reader.query({ label: 'fraud' }, ALL)).entries.length, labelled.length);
    const [page, rest] = [await reader.query({}, { before: null, limit: 2 }), 2];
    t.equal(page.entries.length, rest);
    t.equal((await reader.query({}, { before: page.next, limit: 10 })).entries.length, 2, 'page by page');
    const found = (await reader.query({ account: [account] }, ALL)).entries.map(({ record }) => idOf(record));
    t.same(found, labelled.map(idOf).reverse(), 'their subject is found');
  });

  t.test(
    `${engine} thins once, and drops what has no labels and what is labelled for too long`,
    async (t) => {
      const { reader, append, label, age, tidy } = await open(t);
      const held = async () => (await reader.readAfter(null, 1000)).entries.map(({ record }) => idOf(record));
      const first = serials(1, 2);
      await append(first);
      await age(2);
      const second = serials(10, 2);
      await append(second);
      await label(second[1]?.decision_id ?? '');
      await age(91);
      const third = serials(20, 1);
      await append(third);
      await tidy();
      t.same(
        await held(),
        [second[1], third[0]].map((one) => one?.decision_id),
      );
      await tidy();
      t.equal((await held()).length, 2, 'once');
      await label(second[1]?.decision_id ?? '');
      await age(300);
      const last = serials(30, 1);
      await append(last);
      await tidy();
      t.same(await held(), last.map(idOf), 'in the end labelled ones go too');
    },
  );

  t.test(`${engine} holds its bound in bytes, whatever is labelled`, async (t) => {
    const { reader, append, label, age, tidy } = await open(t);
    for (const first of [1, 10]) {
      const records = serials(first, 2);
      await append(records);
      await label(records[0]?.decision_id ?? '');
      await age(91);
    }
    const last = serials(20, 1);
    await append(last);
    await tidy();
    t.equal((await reader.readAfter(null, 1000)).entries.length, 3);
    await tidy(1);
    await tidy(1);
    t.same(
      (await reader.readAfter(null, 1000)).entries.map(({ record }) => idOf(record)),
      last.map(idOf),
    );
  });
}
