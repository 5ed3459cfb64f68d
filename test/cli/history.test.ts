import { appendFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { idOf, type LogRecord } from '../../src/domain/decision-log/decision-record.ts';
import type { OpenSink } from '../../src/stores/decision-log/definition.ts';
import { sqlite } from '../../src/stores/decision-log/sqlite/index.ts';
import { createDecisionRecord, createEventRecord, createGapRecord } from '../support/decision-records.ts';
import { openSink } from '../support/open-sink.ts';
import { createReadApi } from '../support/read-api.ts';
import { queryParquet } from '../support/read-parquet.ts';
import { runCommand } from '../support/run-cli.ts';
import { createDirectory, KEYS } from '../support/test-app.ts';

const NOW_MS = Date.parse('2026-03-04T05:06:07.089Z');
const MINUTE_MS = 60_000;
const LABEL = { label: 'fraud', at: '2026-03-05T00:00:00.000Z', note: 'told', caller: 'shop' } as const;

/** Decisions a minute apart, a gap and an event. */
function createRecords(count: number): LogRecord[] {
  const decisions = Array.from({ length: count }, (_, n) => createDecisionRecord(NOW_MS + n * MINUTE_MS, n));
  const end = NOW_MS + count * MINUTE_MS;
  return [...decisions, createGapRecord(end, count), createEventRecord(end + 1, count + 1)];
}

async function openHistory(t: Test, dataDirectory: string): Promise<OpenSink> {
  const day = 86_400_000;
  return openSink(t, sqlite, {
    dataDirectory,
    retentionMs: 3660 * day,
    labelledKeptMs: 0,
    bytesMax: 2 ** 30,
  });
}

/** A directory with a history, which nobody has open. */
async function createHistory(t: Test, records: readonly LogRecord[], labelled?: LogRecord): Promise<string> {
  const directory = createDirectory(t);
  const open = await openHistory(t, directory);
  t.equal(await open.sink.append({ number: 1, records }), true);
  if (labelled !== undefined) await open.reader?.label(idOf(labelled), LABEL, true);
  await open.policies?.keep('sha256:1', 'rules: []');
  await open.close();
  return directory;
}

/** All that a history holds, oldest first. */
async function readHistory(t: Test, directory: string) {
  const { reader, policies, close } = await openHistory(t, directory);
  if (reader === null) throw new Error('it can be read');
  const { entries } = await reader.readAfter(null, 100_000);
  const labels = await reader.labelsOf(entries);
  const policy = await policies?.find('sha256:1');
  await close();
  return { records: entries.map(({ record }) => record), labels, policy };
}

t.test('exports a history while a service writes to it, in each format', async (t) => {
  const records = createRecords(600);
  const directory = createDirectory(t);
  const open = await openHistory(t, directory);
  await open.sink.append({ number: 1, records });
  const env = { DATA_DIR: directory };
  const ndjson = await runCommand(['history', 'export'], { env });
  t.equal(ndjson.code, 0);
  const lines = ndjson.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.same(lines.map(idOf), records.map(idOf).reverse());
  t.match(lines.at(-1), records[0]);
  t.equal(ndjson.err, '600 decisions, 1 gaps and 1 events to standard output.\n');
  const csv = await runCommand(['history', 'export', '--format', 'csv', '--json'], { env });
  t.equal(csv.text.split('\r\n').length, 604);
  t.match(JSON.parse(csv.err), {
    engine: 'sqlite',
    format: 'csv',
    decisions: 600,
    gaps: 1,
    events: 1,
    out: null,
  });
  const out = join(directory, 'all.parquet');
  const parquet = await runCommand(['history', 'export', '--format', 'parquet', '--out', out, '--json'], {
    env,
  });
  t.match(parquet.json, { format: 'parquet', decisions: 600, out });
  t.same(await queryParquet(out, 'SELECT count(*)::INT AS n FROM file'), [{ n: 602 }]);
  t.same(readdirSync(directory).sort(), ['all.parquet', 'history'], 'no part of a file is left');
});

t.test('exports what was decided in a time', async (t) => {
  const directory = await createHistory(t, createRecords(5));
  const since = new Date(NOW_MS + MINUTE_MS).toISOString();
  const until = new Date(NOW_MS + 3 * MINUTE_MS).toISOString();
  const args = ['history', 'export', '--since', since, '--until', until];
  const { text } = await runCommand(args, { env: { DATA_DIR: directory } });
  const minutes = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).decided_at);
  t.same(
    minutes,
    [2, 1].map((n) => new Date(NOW_MS + n * MINUTE_MS).toISOString()),
  );
  const wrong = await runCommand(['history', 'export', '--since', 'yesterday'], {
    env: { DATA_DIR: directory },
  });
  t.match(wrong, { code: 2, err: /--since is an RFC 3339 time/ });
});

t.test('leaves no file where an export cannot be whole', async (t) => {
  const directory = await createHistory(t, createRecords(5));
  const [name] = readdirSync(join(directory, 'history')).filter((file) => file.endsWith('.sqlite'));
  writeFileSync(join(directory, 'history', String(name)), 'no database'.repeat(1000));
  const out = join(directory, 'all.ndjson');
  const { code, json } = await runCommand(['history', 'export', '--out', out, '--json'], {
    env: { DATA_DIR: directory },
  });
  t.equal(code, 3);
  t.match(json, { error: { code: 'store_unavailable' } });
  t.same(readdirSync(directory), ['history']);
  const aborted = await runCommand(['history', 'export', '--out', out], {
    env: { DATA_DIR: await createHistory(t, createRecords(5)) },
    signal: AbortSignal.abort(),
  });
  t.match(aborted, { code: 3, err: 'riskgate: interrupted\n' });
  t.notOk(existsSync(out));
});

t.test('imports what was exported, once, with labels and in its order', async (t) => {
  const records = createRecords(600);
  const from = await createHistory(t, records, records[7]);
  const { out } = await runCommand(['history', 'export'], { env: { DATA_DIR: from } });
  for (const [name, body] of [
    ['plain.ndjson', out],
    ['lines.ndjson.gz', gzipSync(out)],
    ['lines.ndjson.zst', zstdCompressSync(out)],
  ] as const) {
    const file = join(from, name);
    writeFileSync(file, body);
    const env = { DATA_DIR: createDirectory(t) };
    const first = await runCommand(['history', 'import', file, '--json'], { env });
    t.match(first.json, { engine: 'sqlite', read: 602, added: 602, known: 0, differing: 0, labels: 1 });
    t.equal(first.code, 0);
    const second = await runCommand(['history', 'import', file], { env });
    t.match(second, {
      code: 0,
      text: '602 records into sqlite:\n  602 were there already\n  1 policies without their text, which the source does not have\n',
    });
    const read = await readHistory(t, env.DATA_DIR);
    t.same(read.records, records);
    t.same([...read.labels], [[idOf(records[7] as LogRecord), [LABEL]]]);
  }
});

t.test('imports nothing of files with bad lines, and says which those are', async (t) => {
  const directory = createDirectory(t);
  const file = join(directory, 'lines.ndjson');
  const [good, other] = createRecords(1);
  const secret = 'imei-490154203237518';
  const lines = [
    JSON.stringify(good),
    '',
    `{"kind": "${secret}`,
    JSON.stringify({ ...good, decision: secret }),
    JSON.stringify({ ...good, labels: [{ label: secret }] }),
    '[]',
    JSON.stringify(other),
  ];
  writeFileSync(file, lines.join('\n'));
  const env = { DATA_DIR: createDirectory(t) };
  const refused = await runCommand(['history', 'import', file], { env });
  t.equal(refused.code, 1);
  const told = refused.text.trimEnd().split('\n');
  t.match(told, [
    `${file}:3: is no JSON object`,
    new RegExp(`^${file}:4: decision: `),
    new RegExp(`^${file}:5: labels\\.0\\.label: `),
    `${file}:6: is no JSON object`,
    /^4 bad lines and 2 good ones: nothing is imported/,
  ]);
  t.notMatch(refused.text, secret);
  t.notOk(existsSync(join(env.DATA_DIR, 'history')), 'nothing was opened');
  const skipping = await runCommand(['history', 'import', '--skip-bad', '--json', file], { env });
  t.equal(skipping.code, 1);
  t.match(skipping.json, { added: 2, left: [{ reason: 'bad lines', count: 4 }], bad_lines: [{ line: 3 }] });
  t.same((await readHistory(t, env.DATA_DIR)).records, [good, other]);
});

t.test('says of files without any record what an export is expected to be', async (t) => {
  const file = join(createDirectory(t), 'decisions.csv');
  writeFileSync(file, 'decision_id,decision\n');
  const env = { DATA_DIR: createDirectory(t) };
  for (const more of [[], ['--skip-bad']]) {
    const { code, text } = await runCommand(['history', 'import', ...more, file], { env });
    t.equal(code, 1);
    t.match(text, /^.*decisions\.csv:1: is no JSON object\nNo line is a record.*An export is NDJSON/);
  }
  t.notOk(existsSync(join(env.DATA_DIR, 'history')), 'nothing was opened');
});

t.test('imports nothing of a file whose end is torn off', async (t) => {
  const directory = createDirectory(t);
  const body = gzipSync(
    createRecords(50)
      .map((record) => JSON.stringify(record))
      .join('\n'),
  );
  const file = join(directory, 'torn.gz');
  writeFileSync(file, body.subarray(0, body.length - 20));
  const env = { DATA_DIR: createDirectory(t) };
  const torn = await runCommand(['history', 'import', file, '--json'], { env });
  t.match(torn, { code: 3, json: { error: { code: 'z_buf_error', message: /torn\.gz: unexpected end/ } } });
  const missing = await runCommand(['history', 'import', join(directory, 'missing'), '--json'], { env });
  t.match(missing, { code: 3, json: { error: { code: 'enoent' } } });
  t.notOk(existsSync(join(env.DATA_DIR, 'history')));
});

t.test('leaves a record as it is where another one has its id', async (t) => {
  const [record] = createRecords(1);
  const directory = await createHistory(t, [record as LogRecord]);
  const file = join(directory, 'lines.ndjson');
  writeFileSync(file, JSON.stringify({ ...record, caller: 'another' }));
  const env = { DATA_DIR: directory };
  const { code, json } = await runCommand(['history', 'import', file, '--json'], { env });
  t.equal(code, 1);
  t.match(json, { read: 1, added: 0, known: 0, differing: 1 });
  t.same((await readHistory(t, directory)).records, [record]);
});

t.test('does not write to a history that a service has', async (t) => {
  const directory = createDirectory(t);
  await openHistory(t, directory);
  const file = join(directory, 'lines.ndjson');
  writeFileSync(file, JSON.stringify(createRecords(1)[0]));
  const { code, err } = await runCommand(['history', 'import', file], { env: { DATA_DIR: directory } });
  t.match({ code, err }, { code: 3, err: /another process writes to this history/ });
});

t.test('migrates the log of a service that has it in memory, by its URL', async (t) => {
  const records = createRecords(300);
  const api = await createReadApi(t);
  await api.log.append({ number: 1, records });
  await api.log.label(idOf(records[3] as LogRecord), LABEL, true);
  const from = `http://127.0.0.1:${await api.listen()}`;
  const env = { DATA_DIR: createDirectory(t), RISKGATE_API_KEY: KEYS.read };
  const { code, json } = await runCommand(['history', 'migrate', '--from', from, '--json'], { env });
  t.equal(code, 0);
  t.match(json, { read: 302, added: 302, labels: 1, policies: 0, policies_left: 1 });
  const read = await readHistory(t, env.DATA_DIR);
  t.same(read.records, records);
  t.equal(read.labels.size, 1);
  const wrong = { ...env, RISKGATE_API_KEY: 'wrong' };
  t.match(await runCommand(['history', 'migrate', '--from', from], { env: wrong }), {
    code: 3,
    err: /answers 401: The API key is not known here/,
  });
  const { RISKGATE_API_KEY: _, ...without } = env;
  t.match(await runCommand(['history', 'migrate', '--from', from], { env: without }), {
    code: 2,
    err: /RISKGATE_API_KEY/,
  });
});

t.test('migrates a file of lines, and says which of them it leaves out', async (t) => {
  const directory = createDirectory(t);
  const records = createRecords(3);
  const file = join(directory, 'decisions.ndjson');
  writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  appendFileSync(file, '{"version":1,"kind":"deci');
  const env = { DATA_DIR: createDirectory(t), DECISION_LOG: 'sqlite', DECISION_LOG_FILE: file };
  const { code, json } = await runCommand(['history', 'migrate', '--from', 'file', '--json'], { env });
  t.equal(code, 1);
  t.match(json, { added: 5, left: [{ reason: 'line 6: is no JSON object', count: 1 }] });
  t.same((await readHistory(t, env.DATA_DIR)).records, records);
});

t.test('says what is missing, and what there is', async (t) => {
  t.match(await runCommand(['history', 'export']), { code: 2, err: /set DATA_DIR or HISTORY_URL/ });
  t.match(await runCommand(['history', 'export', '--engine', 'sqlite']), {
    code: 2,
    err: /DATA_DIR is needed/,
  });
  const strange = await runCommand(['history', 'export', '--engine', 'oracle', '--json']);
  t.match(strange, { code: 2, json: { error: { code: 'usage', message: /"oracle".*sqlite/ } } });
  const empty = { DATA_DIR: createDirectory(t) };
  t.match(await runCommand(['history', 'export'], { env: empty }), { code: 3, err: /holds no history/ });
  const file = { DECISION_LOG: 'file', DECISION_LOG_FILE: join(createDirectory(t), 'lines') };
  t.match(await runCommand(['history', 'export'], { env: file }), { code: 2, err: /import its files/ });
  t.match(await runCommand(['history', 'import', 'x'], { env: file }), { code: 2, err: /keeps no history/ });
  const same = await runCommand(['history', 'migrate', '--from', 'sqlite'], { env: empty });
  t.match(same, { code: 2, err: /in sqlite already/ });
  t.match(await runCommand(['history', 'migrate']), { code: 2, err: /--from/ });
});
