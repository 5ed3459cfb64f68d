import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { idOf, type LogRecord } from '../../src/domain/decision-log/decision-record.ts';
import { sqlite } from '../../src/stores/decision-log/sqlite/index.ts';
import { createDecisionRecord, createEventRecord, createGapRecord } from '../support/decision-records.ts';
import { openSink } from '../support/open-sink.ts';
import { runCommand } from '../support/run-cli.ts';
import { createDirectory, createManualClock } from '../support/test-app.ts';

const DAY_MS = 86_400_000;
const DAYS = 2;
const A_DAY = 300;
const NOON_MS = Date.parse('2026-03-04T12:00:00.000Z');
const POLICY = 'rules: []';
const POLICY_HASH = 'sha256:00eb8a0ecfecb77c25d7e28890b0a2d479966fd1b88274af09fd5c70b7fc0f71';
const LABEL = { label: 'fraud', at: '2026-03-05T00:00:00.000Z', note: null, caller: 'shop' } as const;

/** Records of one day, more than a block of them. */
function recordsOf(day: number): LogRecord[] {
  const startMs = NOON_MS + day * DAY_MS;
  const decisions = Array.from({ length: A_DAY }, (_, n) =>
    createDecisionRecord(startMs + n * 1000, n, {
      action: `action ${n % 5}`,
      subject: {
        hash_key: '0a1b2c3d',
        telemetry: n.toString(16).padStart(32, '0'),
        devices: [(n % 50).toString(16).padStart(32, 'd')],
        account: null,
      },
    }),
  );
  return [...decisions, createGapRecord(startMs, A_DAY), createEventRecord(startMs, A_DAY + 1)];
}

/** Opens a history, with a clock of its own. */
async function openHistory(t: Test, dataDirectory: string) {
  const clock = createManualClock(NOON_MS);
  const settings = {
    dataDirectory,
    retentionMs: 3660 * DAY_MS,
    labelledKeptMs: 3660 * DAY_MS,
    bytesMax: 2 ** 30,
  };
  return { clock, ...(await openSink(t, sqlite, settings, { clock })) };
}

/** A history of some days that nobody has open. */
async function createHistory(t: Test): Promise<string> {
  const directory = createDirectory(t);
  const { sink, reader, policies, clock, close } = await openHistory(t, directory);
  for (let day = 0; day < DAYS; day += 1) {
    await sink.append({ number: day + 1, records: recordsOf(day) });
    clock.advance(DAY_MS);
  }
  await reader?.label(idOf(recordsOf(0)[7] as LogRecord), LABEL, true);
  await policies?.keep(POLICY_HASH, POLICY);
  await close();
  return directory;
}

const history = await createHistory(t);

/** A copy of the history, and its files of days. */
function copyHistory(t: Test) {
  const directory = createDirectory(t);
  const folder = join(directory, 'history');
  mkdirSync(folder);
  for (const file of readdirSync(join(history, 'history')))
    copyFileSync(join(history, 'history', file), join(folder, file));
  const files = readdirSync(folder).filter((file) => /^\d.*\.sqlite$/.test(file));
  return { env: { DATA_DIR: directory }, folder, files };
}

/** Without what SQLite puts beside a file for its readers, and leaves there where one of them closes it last. */
function namesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((file) => !/-(wal|shm)$/.test(file))
    .sort();
}

function change(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

async function exportOf(env: Record<string, string>): Promise<string> {
  return (await runCommand(['history', 'export'], { env })).text;
}

t.test('finds nothing wrong with a history that is well, whole and beside a service', async (t) => {
  const { env, folder, files } = copyHistory(t);
  t.equal(files.length, DAYS);
  const before = namesIn(folder);
  const { code, json } = await runCommand(['history', 'verify', '--json'], { env });
  t.equal(code, 0, JSON.stringify(json.findings));
  t.match(json, { ok: true, records: DAYS * (A_DAY + 2), findings: [], files: { length: DAYS + 1 } });
  t.match(await runCommand(['history', 'verify', '--quick'], { env }), {
    code: 0,
    text: `${DAYS + 1} files with ${DAYS * (A_DAY + 2)} records: 0 findings.\n`,
  });
  t.same(namesIn(folder), before, 'nothing is left behind');
  const { sink, clock } = await openHistory(t, env.DATA_DIR);
  clock.advance((DAYS - 1) * DAY_MS);
  let number = 100;
  const over = new AbortController();
  const writing = (async () => {
    for (; !over.signal.aborted; number += 1)
      await sink.append({
        number,
        records: [createDecisionRecord(NOON_MS + DAYS * DAY_MS + number, number)],
      });
  })();
  const beside = await runCommand(['history', 'verify', '--json'], { env });
  over.abort();
  await writing;
  t.equal(beside.code, 0, JSON.stringify(beside.json.findings));
});

/** What is done to a file, and what is then said of it. */
const DAMAGE: Readonly<Record<string, readonly [(path: string) => void, RegExp]>> = {
  'a file that is cut off': [(path) => truncateSync(path, 40_000), /damaged|cannot be read/],
  'a file that is none': [(path) => writeFileSync(path, 'x'.repeat(10_000)), /cannot be read/],
  'a file of a later version': [(path) => change(path, 'PRAGMA user_version = 999'), /a later version/],
  'a block whose bytes are others': [
    (path) =>
      change(
        path,
        "UPDATE blocks SET body = CAST(substr(body, 1, 1000) || x'00' || substr(body, 1002) AS BLOB)",
      ),
    /missing or damaged|cannot be read/,
  ],
  'a block that is gone': [
    (path) => change(path, 'DELETE FROM blocks WHERE first = 1'),
    /missing or damaged|cannot be read/,
  ],
  'evidence that is gone': [(path) => change(path, 'DELETE FROM evidence'), /missing or damaged/],
  'evidence that is another': [
    (path) => change(path, 'UPDATE evidence_keys SET key = 1 WHERE id = 1'),
    /^evidence_keys: 1 rows/,
  ],
  'an entry that is gone': [
    (path) => change(path, 'DELETE FROM entries WHERE seq = 9'),
    /entries are missing/,
  ],
  'an entry with another time': [
    (path) => change(path, 'UPDATE entries SET at = at + 1 WHERE seq = 9'),
    /^entries: 1 rows/,
  ],
  'a hash that leads nowhere': [
    (path) => change(path, 'DELETE FROM subjects WHERE seq = 9'),
    /^subjects: 2 rows/,
  ],
  'a count that is another': [(path) => change(path, 'UPDATE counts SET count = count + 1'), /^counts: /],
  'a shape that is another': [
    (path) => change(path, `UPDATE shapes SET text = replace(text, 'CHALLENGE', 'ALLOW')`),
    /^shapes: /,
  ],
  'a label of nobody': [
    (path) => change(path, `INSERT INTO labels SELECT 9999, at, label, history FROM labels`),
    /^labels: 1 of decisions that are not there/,
  ],
  'a label that is no JSON': [
    (path) => change(path, `UPDATE labels SET history = '{'`),
    /^labels: 1 cannot be read/,
  ],
};

for (const [what, [damage, problem]] of Object.entries(DAMAGE)) {
  t.test(`finds ${what}`, async (t) => {
    const { env, folder, files } = copyHistory(t);
    const [file = ''] = files;
    damage(join(folder, file));
    const { code, json } = await runCommand(['history', 'verify', '--json'], { env });
    t.equal(code, 1);
    t.match(json, { ok: false, findings: [{ file, problem }] });
    t.ok(
      json.findings.every((one: { file: string }) => one.file === file),
      'nothing of other files',
    );
  });
}

t.test('finds the text of a policy that is another', async (t) => {
  const { env, folder } = copyHistory(t);
  change(join(folder, 'policies.sqlite'), `UPDATE policies SET text = 'rules: [x]'`);
  const { code, json } = await runCommand(['history', 'verify', '--json'], { env });
  t.match(
    { code, json },
    { code: 1, json: { findings: [{ file: 'policies.sqlite', problem: /has another text/ }] } },
  );
});

t.test('makes files of earlier days smaller, with all that is in them', async (t) => {
  const { env, folder, files } = copyHistory(t);
  const before = await exportOf(env);
  const newest = statSync(join(folder, String(files.at(-1)))).ino;
  const { code, json } = await runCommand(['history', 'compact', '--json'], { env });
  t.equal(code, 0, JSON.stringify(json.findings));
  t.same(
    json.files.map(({ file }: { file: string }) => file),
    files.slice(0, -1),
  );
  t.ok(json.bytes_after < json.bytes_before, `${json.bytes_before} became ${json.bytes_after}`);
  t.equal(statSync(join(folder, String(files.at(-1)))).ino, newest, 'the newest is as it was');
  t.equal(await exportOf(env), before);
  t.equal((await runCommand(['history', 'verify', '--json'], { env })).code, 0);
  t.same(
    readdirSync(folder).filter((file) => /compact|verify/.test(file)),
    [],
  );
  const again = await runCommand(['history', 'compact', '--json'], { env });
  t.match(again, { code: 0, json: { bytes_before: json.bytes_after, bytes_after: json.bytes_after } });
  const { reader, close } = await openHistory(t, env.DATA_DIR);
  t.same((await reader?.find(idOf(recordsOf(0)[7] as LogRecord)))?.labels, [LABEL]);
  await close();
});

t.test('leaves a damaged file as it is, and compacts the others', async (t) => {
  const { env, folder, files } = copyHistory(t);
  const [file = ''] = files;
  const path = join(folder, file);
  for (const damage of [
    (path: string) => change(path, 'DELETE FROM counts'),
    (path: string) => truncateSync(path, 40_000),
  ]) {
    damage(path);
    const bytes = readFileSync(path);
    const { code, json } = await runCommand(['history', 'compact', '--json'], { env });
    t.match({ code, json }, { code: 1, json: { findings: [{ file }] } });
    t.ok(readFileSync(path).equals(bytes));
  }
});

t.test('takes a file that a killed process has made and not filled for empty', async (t) => {
  const { env, folder } = copyHistory(t);
  const before = await exportOf(env);
  for (const name of ['20260303-0001.sqlite', '20260307-0001.sqlite']) writeFileSync(join(folder, name), '');
  t.equal(await exportOf(env), before);
  for (const command of ['verify', 'compact'])
    t.equal((await runCommand(['history', command], { env })).code, 0);
  t.equal(await exportOf(env), before);
});

t.test('compacts nothing while a service has the history', async (t) => {
  const { env } = copyHistory(t);
  const { close } = await openHistory(t, env.DATA_DIR);
  t.match(await runCommand(['history', 'compact', '--json'], { env }), {
    code: 3,
    json: { error: { code: 'locked' } },
  });
  await close();
  t.equal((await runCommand(['history', 'compact'], { env })).code, 0);
});

t.test('stops after a file when it is interrupted', async (t) => {
  const { env, folder } = copyHistory(t);
  const signal = AbortSignal.abort();
  for (const command of ['verify', 'compact'])
    t.match(await runCommand(['history', command], { env, signal }), {
      code: 3,
      err: 'riskgate: interrupted\n',
    });
  t.same(
    readdirSync(folder).filter((file) => /compact|verify/.test(file)),
    [],
  );
});

t.test('is for files alone', async (t) => {
  const env = { HISTORY_URL: 'postgres://nobody@127.0.0.1:1/none' };
  t.match(await runCommand(['history', 'verify'], { env }), { code: 2, err: /no files of ours/ });
  const empty = { DATA_DIR: createDirectory(t) };
  for (const command of ['verify', 'compact'])
    t.match(await runCommand(['history', command], { env: empty }), { code: 3, err: /holds no history/ });
  t.notOk(existsSync(join(empty.DATA_DIR, 'history')));
});
