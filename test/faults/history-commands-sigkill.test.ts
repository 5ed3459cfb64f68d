import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sqlite } from '../../src/stores/decision-log/sqlite/index.ts';
import { createDecisionRecord } from '../support/decision-records.ts';
import { openSink } from '../support/open-sink.ts';
import { runCommand } from '../support/run-cli.ts';
import { ROOT, startProgram } from '../support/start-program.ts';
import { createDirectory, createManualClock, until } from '../support/test-app.ts';

const BIN = join(ROOT, 'bin/riskgate.js');
const DAY_MS = 86_400_000;
const NOON_MS = Date.parse('2026-03-04T12:00:00.000Z');

/** Runs the command until something is seen, and kills it; false where it ended before. */
async function killWhen(
  t: Test,
  args: string[],
  env: Record<string, string>,
  isSeen: () => boolean,
): Promise<boolean> {
  const { child, ended } = await startProgram(t, [process.execPath, BIN, ...args], { env });
  await until('there is something to see, or it has ended', () => isSeen() || child.exitCode !== null);
  const isRunning = child.exitCode === null;
  child.kill('SIGKILL');
  await ended;
  return isRunning;
}

function sizeIn(folder: string, pattern: RegExp): number {
  if (!existsSync(folder)) return 0;
  const sizes = readdirSync(folder)
    .filter((file) => pattern.test(file))
    .map((file) => statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

t.test(
  'an import that is killed leaves a history that is well, and is finished by the next one',
  async (t) => {
    const RECORDS = 1500;
    const file = join(createDirectory(t), 'lines.ndjson');
    const records = Array.from({ length: RECORDS }, (_, n) => createDecisionRecord(NOON_MS + n, n));
    writeFileSync(file, records.map((record) => JSON.stringify(record)).join('\n'));
    const env = { DATA_DIR: createDirectory(t) };
    const folder = join(env.DATA_DIR, 'history');
    let kills = 0;
    for (const bytes of [1, 100_000, 400_000]) {
      const isSeen = () => sizeIn(folder, /\.sqlite(-wal)?$/) >= bytes;
      if (await killWhen(t, ['history', 'import', file], env, isSeen)) kills += 1;
      const { code, json } = await runCommand(['history', 'verify', '--json'], { env });
      t.equal(code, 0, JSON.stringify(json.findings));
      t.ok(json.records <= RECORDS);
    }
    t.ok(kills > 0, `${kills} kills while it ran`);
    const { code, json } = await runCommand(['history', 'import', file, '--json'], { env });
    t.match({ code, json }, { code: 0, json: { read: RECORDS, differing: 0 } });
    t.equal(json.added + json.known, RECORDS);
    t.match((await runCommand(['history', 'verify', '--json'], { env })).json, {
      ok: true,
      records: RECORDS,
    });
  },
);

t.test('a compaction that is killed leaves every file as it was or as it is to be', async (t) => {
  const env = { DATA_DIR: createDirectory(t) };
  const clock = createManualClock(NOON_MS);
  const settings = {
    dataDirectory: env.DATA_DIR,
    retentionMs: 3660 * DAY_MS,
    labelledKeptMs: 3660 * DAY_MS,
    bytesMax: 2 ** 30,
  };
  const { sink, close } = await openSink(t, sqlite, settings, { clock });
  for (let day = 0; day < 3; day += 1) {
    const records = Array.from({ length: 1000 }, (_, n) =>
      createDecisionRecord(NOON_MS + day * DAY_MS + n, n),
    );
    await sink.append({ number: day + 1, records });
    clock.advance(DAY_MS);
  }
  await close();
  const folder = join(env.DATA_DIR, 'history');
  const { text: before } = await runCommand(['history', 'export'], { env });
  let kills = 0;
  for (const pattern of [/-0001\.sqlite\.compact$/, /compact-packed$/, /20260305.*packed$/]) {
    if (await killWhen(t, ['history', 'compact'], env, () => sizeIn(folder, pattern) > 0)) kills += 1;
    t.match((await runCommand(['history', 'verify', '--json'], { env })).json, { ok: true, records: 3000 });
    t.equal((await runCommand(['history', 'export'], { env })).text, before);
  }
  t.ok(kills > 0, `${kills} kills while it ran`);
  t.equal((await runCommand(['history', 'compact'], { env })).code, 0);
  t.same(
    readdirSync(folder).filter((file) => /compact|verify/.test(file)),
    [],
  );
  t.equal((await runCommand(['history', 'export'], { env })).text, before);
});
