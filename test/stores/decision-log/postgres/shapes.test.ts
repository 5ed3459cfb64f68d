import { hash } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import Postgrator from 'postgrator';
import t, { type Test } from 'tap';
import type { DecisionLogReader } from '../../../../src/application/decision-log/decision-log.ts';
import { type DecisionRecord, idOf } from '../../../../src/domain/decision-log/decision-record.ts';
import { countName } from '../../../../src/domain/decision-log/record-counts.ts';
import { toRecordFacts } from '../../../../src/domain/decision-log/record-facts.ts';
import { createLogger } from '../../../../src/platform/logger.ts';
import { encodeBatch, toTextArray } from '../../../../src/stores/decision-log/postgres/entry-rows.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';
import { openPostgresLog } from '../../../support/open-postgres-log.ts';
import { startPostgresServer } from '../../../support/postgres-server.ts';

/** Facts with these callers have hashes that begin alike: found by 80 million tries, in some minutes. */
const ALIKE = ['178b6fe663323', 'f3c9b370b7cbe'] as const;
const DIGITS = 13;
/** The greatest id that earlier versions give. */
const UNKEYED_MAX = 2 ** 52;
const MIGRATIONS = join(import.meta.dirname, '../../../../src/stores/decision-log/postgres/migrations/*.sql');
const HOUR_MS = 3_600_000;

const server = await startPostgresServer(t, { settings: ['fsync = off'] });
const nameOf = (url: string) => new URL(url).pathname.slice(1);
const nowMs = Date.now();

function recordOf(caller: string, serial: number): DecisionRecord {
  const none = { reasons: [], waivers: [], rules: [], providers: {} };
  return createDecisionRecord(nowMs, serial, { decision: 'ALLOW', degraded: false, caller, ...none });
}

const textOf = (record: DecisionRecord) => JSON.stringify(toRecordFacts(record));
const prefixOf = (record: DecisionRecord) => hash('sha256', textOf(record)).slice(0, DIGITS);

/** The ids that a search by a caller finds, the newest first, and how many decisions are counted for each. */
async function read(reader: DecisionLogReader, caller: string) {
  const { entries } = await reader.query({ caller }, { before: null, limit: 100 });
  const periods = await reader.counts({
    sinceMs: nowMs - HOUR_MS,
    untilMs: nowMs + HOUR_MS,
    period: 'minute',
  });
  const name = countName('caller', caller);
  const counted = periods.reduce((sum, { counts }) => sum + (counts.get(name) ?? 0), 0);
  return { found: entries.map(({ record }) => idOf(record)), counted };
}

const shapesOf = async (url: string) =>
  (
    await server.query<{ shape: string }>('SELECT DISTINCT shape::text FROM riskgate.entries', nameOf(url))
  ).map(({ shape }) => Number(shape));

/** Runs a step on a connection of its own. */
async function connected(url: string, run: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await run(client);
  } finally {
    await client.end();
  }
}

/** Makes the tables of the version before there was a secret. */
function migrateAsBefore(url: string): Promise<void> {
  return connected(url, async (client) => {
    await client.query('CREATE SCHEMA riskgate');
    const postgrator = new Postgrator({
      driver: 'pg',
      migrationPattern: MIGRATIONS,
      currentSchema: 'riskgate',
      schemaTable: 'migrations',
      newline: 'LF',
      execQuery: (text) => client.query(text),
    });
    await postgrator.migrate('4');
  });
}

/** Appends records as earlier versions do: shapes under the hash of their text alone. */
function appendAsBefore(url: string, number: number, records: readonly DecisionRecord[]): Promise<void> {
  const shapes = new Map<number, string>();
  const { rows, counts, asnNames } = encodeBatch(records, {
    textOf: (record) => JSON.stringify(record),
    shapeOf: (record) => {
      const id = Number.parseInt(prefixOf(record), 16) + 1;
      shapes.set(id, textOf(record));
      return id;
    },
  });
  const told = [`{${[...shapes.keys()].join()}}`, toTextArray([...shapes.values()])];
  const today = Math.floor(Date.now() / 86_400_000);
  const values = ['earlier', number, true, 2 ** 27, ...rows, ...told, today, ...counts, asnNames];
  const places = values.map((_, place) => `$${place + 1}`);
  return connected(url, (client) =>
    client.query(`SELECT riskgate.append_batch(${places.join(', ')})`, values),
  );
}

t.test('tells facts apart that were prepared to have hashes that begin alike', async (t) => {
  const [one, other] = [recordOf(ALIKE[0], 1), recordOf(ALIKE[1], 2)];
  t.equal(prefixOf(one), prefixOf(other));
  const { sink, reader } = await openPostgresLog(t, await server.createDatabase());
  t.equal(await sink.append({ number: 1, records: [one] }), true);
  t.equal(await sink.append({ number: 2, records: [other] }), true);
  t.same(await read(reader, ALIKE[0]), { found: [idOf(one)], counted: 1 });
  t.same(await read(reader, ALIKE[1]), { found: [idOf(other)], counted: 1 });
});

t.test('has one secret for all replicas of a database, and another for another database', async (t) => {
  const open = async (t: Test) => {
    const url = await server.createDatabase();
    const replicas = await Promise.all(Array.from({ length: 4 }, () => openPostgresLog(t, url)));
    for (const [place, { sink }] of replicas.entries())
      t.equal(await sink.append({ number: 1, records: [recordOf('shop', place)] }), true);
    const [secret] = await server.query<{ secret: string }>(
      'SELECT secret FROM riskgate.shape_secret',
      nameOf(url),
    );
    return { secret: secret?.secret, shapes: await shapesOf(url) };
  };
  const [one, other] = [await open(t), await open(t)];
  t.equal(one.shapes.length, 1);
  t.equal(other.shapes.length, 1);
  t.not(one.shapes[0], other.shapes[0]);
  t.not(one.secret, other.secret);
  t.match(one.secret, /^[\da-f-]{72}$/);
});

t.test('goes on with the tables of the version before, and beside its replicas', async (t) => {
  const url = await server.createDatabase();
  const records = Array.from({ length: 8 }, (_, serial) =>
    recordOf(serial % 2 === 0 ? 'shop' : 'bank', serial),
  );
  const of = (caller: string) =>
    records
      .filter((record) => record.caller === caller)
      .map(idOf)
      .toReversed();
  await migrateAsBefore(url);
  await appendAsBefore(url, 1, records.slice(0, 2));
  const { sink, reader } = await openPostgresLog(t, url);
  t.same(await read(reader, 'shop'), { found: records.slice(0, 1).map(idOf), counted: 1 });
  t.equal(await sink.append({ number: 1, records: records.slice(2, 4) }), true);
  await appendAsBefore(url, 2, records.slice(4, 6));
  t.equal(await sink.append({ number: 2, records: records.slice(6) }), true);
  t.same(await read(reader, 'shop'), { found: of('shop'), counted: 4 });
  t.same(await read(reader, 'bank'), { found: of('bank'), counted: 4 });
  // No id of one kind can be one of the other.
  const shapes = await shapesOf(url);
  t.equal(shapes.filter((shape) => shape <= UNKEYED_MAX).length, 2);
  t.equal(shapes.filter((shape) => shape > UNKEYED_MAX && shape <= 2 * UNKEYED_MAX).length, 2);
});

t.test('takes the secret of the server that a new connection leads to', async (t) => {
  const url = await server.createDatabase();
  const { sink, reader } = await openPostgresLog(t, url);
  t.equal(await sink.append({ number: 1, records: [recordOf('shop', 1)] }), true);
  // As a server that has lost its last commits, and made another.
  await server.query(`UPDATE riskgate.shape_secret SET secret = 'another'`, nameOf(url));
  await server.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${nameOf(url)}' AND pid <> pg_backend_pid()`,
  );
  const record = recordOf('shop', 2);
  let isKept = false;
  for (let attempt = 0; attempt < 20 && !isKept; attempt += 1)
    isKept = (await sink.append({ number: 2, records: [record] })) === true;
  t.equal(isKept, true);
  t.equal((await read(reader, 'shop')).counted, 2);
  t.equal((await shapesOf(url)).length, 2);
});

t.test('writes nothing under ids that could be prepared where the secret is gone', async (t) => {
  const url = await server.createDatabase();
  const first = await openPostgresLog(t, url);
  t.equal(await first.sink.append({ number: 1, records: [recordOf('shop', 1)] }), true);
  await server.query('DELETE FROM riskgate.shape_secret', nameOf(url));
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => void lines.push(line) }).logger;
  const { sink } = await openPostgresLog(t, url, { logger, timeoutMs: 1000 });
  t.equal(await sink.append({ number: 1, records: [recordOf('shop', 2)] }), false);
  t.match(
    lines.map((line) => JSON.parse(line) as object),
    [{ event: 'decision_log.postgres_down', code: 'NO_SHAPE_SECRET' }],
  );
});
