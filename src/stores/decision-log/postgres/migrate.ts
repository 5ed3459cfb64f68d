import { join } from 'node:path';
import type { Client } from 'pg';
import Postgrator from 'postgrator';
import { limit } from './connect.ts';

const MIGRATIONS = join(import.meta.dirname, 'migrations/*.sql');
const SCHEMA = 'riskgate';
/** One replica migrates at a time. The keys are 'risk', and that of migrations. */
const LOCK = 'SELECT pg_advisory_xact_lock(1919513451, 2)';
/** How long a migration may take, and wait for that of another replica. */
const MIGRATE_MS = 600_000;

/**
 * Brings the tables up to what this version needs, in one transaction. Tables of a later version are left as
 * they are: migrations only add. Rejects with the error of the server.
 */
export async function migrate(client: Client): Promise<void> {
  const run = (text: string) => client.query({ text, ...limit(MIGRATE_MS) });
  const postgrator = new Postgrator({
    driver: 'pg',
    migrationPattern: MIGRATIONS,
    currentSchema: SCHEMA,
    schemaTable: 'migrations',
    newline: 'LF',
    execQuery: run,
  });
  const needed = await postgrator.getMaxVersion();
  if ((await versionOf(client)) >= needed) return;
  await run('BEGIN');
  await run(LOCK);
  // Another replica may have done it meanwhile.
  if ((await versionOf(client)) < needed) {
    await createSchema(run);
    await postgrator.migrate();
  }
  await run('COMMIT; SET search_path TO DEFAULT');
}

/** The version of the tables; 0 where there are none. */
async function versionOf(client: Client): Promise<number> {
  const [table] = (
    await client.query<{ found: boolean }>(`SELECT to_regclass('${SCHEMA}.migrations') IS NOT NULL AS found`)
  ).rows;
  if (table?.found !== true) return 0;
  const { rows } = await client.query<{ version: number }>(
    `SELECT max(version) AS version FROM ${SCHEMA}.migrations`,
  );
  return rows[0]?.version ?? 0;
}

/** Only where it is missing: a role that may not create one can be given it. */
async function createSchema(run: (text: string) => Promise<{ rows: unknown[] }>): Promise<void> {
  const { rows } = await run(`SELECT FROM pg_namespace WHERE nspname = '${SCHEMA}'`);
  if (rows.length === 0) await run(`CREATE SCHEMA ${SCHEMA}`);
}
