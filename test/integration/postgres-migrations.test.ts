import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createLogger } from '../../src/platform/logger.ts';
import { createDecisionRecord } from '../support/decision-records.ts';
import { openPostgresLog } from '../support/open-postgres-log.ts';
import { startPostgresServer } from '../support/postgres-server.ts';

const server = await startPostgresServer(t, { settings: ['fsync = off'] });
const migrations = readdirSync(
  join(import.meta.dirname, '../../src/stores/decision-log/postgres/migrations'),
).toSorted();
const nameOf = (url: string) => new URL(url).pathname.slice(1);

t.test('makes the tables once where several replicas start at the same time', async (t) => {
  const url = await server.createDatabase();
  const replicas = await Promise.all(Array.from({ length: 6 }, () => openPostgresLog(t, url)));
  const kept = replicas.map(({ sink }, serial) =>
    sink.append({ number: 1, records: [createDecisionRecord(Date.now(), serial)] }),
  );
  for (const isKept of kept) t.equal(await isKept, true);
  const versions = await server.query<{ version: string }>(
    'SELECT version::text FROM riskgate.migrations WHERE version > 0 ORDER BY version',
    nameOf(url),
  );
  t.strictSame(
    versions.map(({ version }) => Number(version)),
    migrations.map((file) => Number(file.split('.')[0])),
  );
  const [first] = replicas;
  t.equal((await first?.reader.readAfter(null, 10))?.entries.length, 6);
});

t.test('goes on with the tables of a later version', async (t) => {
  const url = await server.createDatabase();
  const earlier = await openPostgresLog(t, url);
  t.equal(await earlier.sink.append({ number: 1, records: [createDecisionRecord(Date.now(), 1)] }), true);
  // What a later version may do: add.
  await server.query(
    `ALTER TABLE riskgate.entries ADD COLUMN later text;
    ALTER TABLE riskgate.labels ADD COLUMN later int4 NOT NULL DEFAULT 1;
    CREATE TABLE riskgate.later (id int8);
    INSERT INTO riskgate.migrations (version, name, md5) VALUES (9, 'later', 'x')`,
    nameOf(url),
  );
  const record = createDecisionRecord(Date.now(), 2);
  t.equal(await earlier.sink.append({ number: 2, records: [record] }), true);
  const again = await openPostgresLog(t, url);
  t.equal(await again.sink.append({ number: 1, records: [createDecisionRecord(Date.now(), 3)] }), true);
  t.equal((await again.reader.readAfter(null, 10)).entries.length, 3);
  const label = { label: 'fraud', at: record.decided_at, note: null, caller: 'c' } as const;
  t.match(await again.reader.label(record.decision_id, label, true), { kind: 'recorded' });
});

t.test('needs no right to create a schema where it is given one', async (t) => {
  const url = await server.createDatabase();
  await server.query('CREATE ROLE plain LOGIN; CREATE SCHEMA riskgate AUTHORIZATION plain', nameOf(url));
  const plain = await openPostgresLog(t, url.replace('postgres@', 'plain@'));
  t.equal(await plain.sink.append({ number: 1, records: [createDecisionRecord(Date.now(), 1)] }), true);
  t.equal((await plain.reader.readAfter(null, 10)).entries.length, 1);
});

t.test('says by its code why the tables cannot be made', async (t) => {
  const url = await server.createDatabase();
  await server.query('CREATE ROLE stranger LOGIN', nameOf(url));
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => void lines.push(line) }).logger;
  const { sink, reader } = await openPostgresLog(t, url.replace('postgres@', 'stranger@'), {
    logger,
    timeoutMs: 1000,
  });
  t.equal(await sink.append({ number: 1, records: [] }), false);
  await t.rejects(reader.newest(), { code: 'store_unavailable' });
  t.match(
    lines.map((line) => JSON.parse(line) as object),
    [{ event: 'decision_log.postgres_down', code: '42501' }],
  );
});
