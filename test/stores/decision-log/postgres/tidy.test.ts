import t, { type Test } from 'tap';
import { PERIOD_MS } from '../../../../src/application/decision-log/decision-log.ts';
import { idOf, type LogRecord } from '../../../../src/domain/decision-log/decision-record.ts';
import { Connector, disconnect } from '../../../../src/stores/decision-log/postgres/connect.ts';
import { parseServerUrl } from '../../../../src/stores/decision-log/postgres/server-address.ts';
import { tidy } from '../../../../src/stores/decision-log/postgres/tidy.ts';
import { toAged } from '../../../support/age-postgres.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';
import { openPostgresLog } from '../../../support/open-postgres-log.ts';
import { startPostgresServer } from '../../../support/postgres-server.ts';

const DAY_MS = 24 * PERIOD_MS.hour;
const LIMITS = {
  retentionMs: 90 * DAY_MS,
  labelledKeptMs: 365 * DAY_MS,
  bytesMax: 2 ** 40,
  spanBytesMax: 2 ** 37,
  countsKeptMs: 30 * DAY_MS,
};
const SPAN = { period: 'hour', sinceMs: 0, untilMs: Date.now() + DAY_MS } as const;

const server = await startPostgresServer(t, { settings: ['fsync = off', 'autovacuum = off'] });

async function openHistory(t: Test) {
  const url = await server.createDatabase();
  const { sink, reader } = await openPostgresLog(t, url);
  const address = parseServerUrl(url);
  if (address === null) throw new Error('a URL of ours');
  const connector = new Connector({ ...address, tls: null });
  const name = new URL(url).pathname.slice(1);
  let batches = 0;
  return {
    reader,
    connector,
    name,
    tidy: (limits: Partial<typeof LIMITS> = {}) => tidy({ connector, ...LIMITS, ...limits }),
    append: async (records: readonly LogRecord[]) => {
      batches += 1;
      t.equal(await sink.append({ number: batches, records }), true);
    },
    held: async () => (await reader.readAfter(null, 1000)).entries.map(({ record }) => idOf(record)),
    /** As if all that is there had been appended so many days ago. */
    age: (days: number) => server.query(toAged(days), name),
  };
}

const recordsOf = (serials: readonly number[]) =>
  serials.map((serial) => createDecisionRecord(Date.now(), serial));
const LABEL = { label: 'fraud', at: '2026-01-01T00:00:00.000Z', note: null, caller: 'c' } as const;

t.test('removes what is too old, and nothing else', async (t) => {
  const { append, age, tidy: clean, held, reader } = await openHistory(t);
  await append(recordsOf([1, 2]));
  await age(60);
  await append(recordsOf([3]));
  const position = (await reader.readAfter(null, 1)).position;
  const version = await reader.version();
  t.equal(await clean(), 0);
  t.equal((await held()).length, 3);
  await age(31);
  await append(recordsOf([4]));
  t.equal(await clean(), 1);
  t.equal((await held()).length, 2);
  t.not(await reader.version(), version);
  t.match(await reader.readAfter(position, 10), { isGap: true });
});

t.test('keeps labelled decisions longer, with their labels and their place', async (t) => {
  const { append, age, tidy: clean, held, reader, name } = await openHistory(t);
  const records = recordsOf([1, 2, 3, 4]);
  const [, second, third] = records;
  await append(records);
  const id = second?.decision_id ?? '';
  await reader.label(id, LABEL, true);
  const before = await reader.readAfter(null, 10);
  await age(91);
  await append(recordsOf([5]));
  t.equal(await clean(), 1);
  t.same((await held())[0], id);
  t.equal((await held()).length, 2);
  t.match(await reader.find(id), { record: { decision_id: id }, labels: [LABEL] });
  t.equal(await reader.find(third?.decision_id ?? ''), null);
  t.equal((await reader.query({ label: 'fraud' }, { before: null, limit: 10 })).entries.length, 1);
  t.match(await reader.readAfter(before.entries[1]?.position ?? '', 10), { isGap: true });
  t.equal(await clean(), 0, 'once');
  await reader.label(id, { ...LABEL, label: 'legit', at: '2026-02-01T00:00:00.000Z' }, true);
  await age(300);
  // Ten minutes before midnight there is a partition for the next day too, which is as old by now.
  t.ok((await clean()) >= 2, 'in the end they go too');
  t.equal(await reader.find(id), null);
  t.same(await server.query('SELECT * FROM riskgate.labels', name), []);
});

t.test('keeps what is labelled between the two steps of thinning', async (t) => {
  const { append, held, reader, name } = await openHistory(t);
  const records = recordsOf([1, 2, 3]);
  await append(records);
  const [first, second] = records.map(({ decision_id }) => decision_id);
  await reader.label(first ?? '', LABEL, true);
  const span = '(SELECT min(begins) FROM riskgate.spans)';
  await server.query(`SELECT riskgate.copy_labelled(${span})`, name);
  await reader.label(second ?? '', LABEL, true);
  await server.query(`SELECT riskgate.thin_span(${span})`, name);
  t.same(await held(), [first, second]);
});

t.test('removes the oldest while all are too large, but never the present one', async (t) => {
  const { append, age, tidy: clean, held } = await openHistory(t);
  for (let day = 0; day < 3; day += 1) {
    await append(recordsOf([day]));
    await age(1);
  }
  await append(recordsOf([9]));
  t.equal(await clean({ bytesMax: 1 }), 3);
  t.equal((await held()).length, 1);
});

t.test('adds minutes up to hours, which count the same', async (t) => {
  const { append, age, tidy: clean, reader, name } = await openHistory(t);
  await append(recordsOf([1, 2, 3]));
  await age(2);
  await append(recordsOf([4]));
  const countsOf = async () =>
    (await reader.counts(SPAN)).map(({ startMs, counts }) => [startMs, Object.fromEntries(counts)]);
  const before = await countsOf();
  t.equal(before.length, 2);
  await clean();
  t.same(await countsOf(), before);
  const [left] = await server.query<{ minutes: string; hours: string }>(
    `SELECT (SELECT count(DISTINCT start) FROM riskgate.minute_counts) AS minutes,
      (SELECT count(DISTINCT start) FROM riskgate.hour_counts) AS hours`,
    name,
  );
  t.match(left, { minutes: '1', hours: '1' });
  await age(100);
  await clean();
  t.same((await countsOf()).length, 1, 'what was counted before the retention is forgotten');
});

t.test('waits for nobody who reads, and keeps nobody waiting', async (t) => {
  const { append, age, tidy: clean, held, name } = await openHistory(t);
  await append(recordsOf([1]));
  await age(100);
  await append(recordsOf([2]));
  const reading = await server.hold(server.url(name), 'SELECT count(*) FROM riskgate.entries');
  t.equal(await clean(), 0);
  await append(recordsOf([3]));
  t.equal((await held()).length, 3);
  await reading.release();
  t.equal(await clean(), 1);
});

t.test('is done by one replica at a time', async (t) => {
  const { append, age, tidy: clean } = await openHistory(t);
  for (let day = 0; day < 4; day += 1) {
    await append(recordsOf([day]));
    await age(100);
  }
  const removed = await Promise.all([clean(), clean(), clean()]);
  t.equal(
    removed.reduce((sum, count) => sum + count, 0),
    4,
  );
});

t.test('makes partitions ahead, as long as fits how fast they grow', async (t) => {
  const { append, age, tidy: clean, name } = await openHistory(t);
  await append(recordsOf([1]));
  const lengths = async () =>
    (
      await server.query<{ hours: number }>(
        'SELECT (ends - begins) / 3600000000.0 AS hours FROM riskgate.spans ORDER BY begins',
        name,
      )
    ).map(({ hours }) => Number(hours));
  t.same((await lengths())[0], 1);
  await age(5);
  await clean({ spanBytesMax: 2 ** 40 });
  const [, second = 0] = await lengths();
  t.ok(second > 1 || new Date().getUTCHours() === 23, `a day at most, to its end: ${second}`);
  await age(5);
  await append(Array.from({ length: 500 }, (_, serial) => createDecisionRecord(Date.now(), serial)));
  await clean({ spanBytesMax: 1 });
  await age(1);
  await clean({ spanBytesMax: 1 });
  t.ok(((await lengths()).at(-1) ?? 1) < 1, 'five minutes');
});

t.test('frees its lock before it resolves, so that the next one tidies', async (t) => {
  const { append, connector, tidy: clean } = await openHistory(t);
  await append(recordsOf([1]));
  const client = await connector.connect('read');
  t.teardown(() => disconnect(client));
  for (let turn = 0; turn < 20; turn += 1) {
    await clean();
    const { rows } = await client.query(
      `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 3
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    t.equal(rows.length, 0);
  }
});
