import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { toHistoryDirectory } from '../../src/stores/decision-log/sqlite/history-directory.ts';
import { HistoryReader } from '../../src/stores/decision-log/sqlite/history-reader.ts';
import { assertClean, IDS, MARK } from '../support/canaries.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import { queryParquet } from '../support/read-parquet.ts';
import { runCommand } from '../support/run-cli.ts';
import {
  askForDecision,
  createServiceEnvironment,
  patienceOf,
  SERVICE_KEY,
  startService,
} from '../support/start-service.ts';
import { createDirectory, portOf, startEmulators } from '../support/test-app.ts';

const RECORDS_MAX = 10_000;
const emulators = await startEmulators(t);
const origin = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;

/** Asks with every canary, in every place where one can stand, and ends the service. */
async function leaveTraces(t: Test, env: Readonly<Record<string, string>>): Promise<void> {
  const service = await startService(t, {
    ...createServiceEnvironment(t, origin),
    ...patienceOf(10_000),
    DECISION_LOG_DELIVERY: 'strict',
    DECISION_LOG_TIMEOUT_MS: '10000',
    ...env,
  });
  const headers = { 'x-api-key': SERVICE_KEY, 'content-type': 'application/json' };
  for (const id of IDS) {
    const body = { telemetry_id: id, device_id: id, account_id: id, user_agent: id, ip: '203.0.113.97' };
    const { decision_id } = (await (await askForDecision(service.origin, body)).json()) as {
      readonly decision_id: string;
    };
    const outcome = { method: 'POST', headers, body: JSON.stringify({ label: 'fraud' }) };
    await fetch(`${service.origin}/v1/decisions/${decision_id}/outcome`, outcome);
    const query = `account_id=${encodeURIComponent(id.toWellFormed())}`;
    await fetch(`${service.origin}/v1/decisions?${query}`, { headers });
    await fetch(`${service.origin}/v1/subjects?${query}`, { method: 'DELETE', headers });
  }
  service.child.kill('SIGTERM');
  t.equal((await service.ended).code, 0);
}

t.test('keeps identifiers out of the files of SQLite, and of what is packed in them', async (t) => {
  const directory = createDirectory(t);
  await leaveTraces(t, { DATA_DIR: directory });
  const history = toHistoryDirectory(directory);
  const files = readdirSync(history).map((name) => readFileSync(join(history, name), 'latin1'));
  assertClean(t, files.join('\n'), 'the files');
  const reader = new HistoryReader(history);
  const texts = [...reader.all()].flatMap((segment) => segment.textsAbove(0, RECORDS_MAX));
  reader.close();
  t.ok(texts.length >= IDS.length, `${texts.length} records`);
  assertClean(t, texts.map(([, text]) => text).join('\n'), 'the records');
});

t.test('keeps identifiers out of exports in every format, and of what commands say', async (t) => {
  const env = { DATA_DIR: createDirectory(t) };
  await leaveTraces(t, env);
  const lines = join(env.DATA_DIR, 'lines.ndjson');
  for (const args of [
    ['export', '--out', lines],
    ['export', '--format', 'csv'],
    ['verify', '--json'],
    ['compact'],
  ]) {
    const { code, text, err } = await runCommand(['history', ...args], { env });
    t.equal(code, 0, args.join(' '));
    assertClean(t, text + err, args.join(' '));
  }
  assertClean(t, readFileSync(lines, 'utf8'), 'NDJSON');
  const table = join(env.DATA_DIR, 'table.parquet');
  t.equal((await runCommand(['history', 'export', '--format', 'parquet', '--out', table], { env })).code, 0);
  assertClean(t, readFileSync(table, 'latin1'), 'Parquet, as it is');
  const rows = await queryParquet(table, 'SELECT * FROM file');
  t.ok(rows.length >= IDS.length, `${rows.length} rows`);
  assertClean(t, JSON.stringify(rows), 'Parquet, as it is read');
  // Whoever puts an identifier into a file is not shown it again.
  writeFileSync(lines, `${IDS.join('\n')}\n${JSON.stringify({ kind: MARK })}\n`);
  const refused = await runCommand(['history', 'import', lines], { env });
  t.equal(refused.code, 1);
  assertClean(t, refused.text + refused.err, 'what is said of bad lines');
});

t.test('keeps identifiers out of every table of PostgreSQL', async (t) => {
  const server = await startPostgresServer(t);
  const url = await server.createDatabase();
  await leaveTraces(t, { HISTORY_URL: url });
  const dump = await promisify(execFile)('pg_dump', ['--inserts', url], { maxBuffer: 2 ** 28 });
  t.match(dump.stdout, /INSERT INTO riskgate\.labels/);
  t.ok(dump.stdout.split('"kind":"decision"').length > IDS.length, 'the records are among them');
  assertClean(t, dump.stdout, 'the tables');
});
