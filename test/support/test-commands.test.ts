import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOT } from './start-program.ts';
import { ALL_TESTS, COMMANDS } from './test-commands.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const ci = read('.ci/run');
const present = Object.entries(COMMANDS).filter(([folder]) => existsSync(join(ROOT, folder)));

t.test('has a command for each folder that npm test leaves out, and CI runs it', async (t) => {
  t.ok(present.length > 0);
  for (const [folder, script] of present) {
    t.match(
      scripts[script],
      new RegExp(String.raw`\btest/(?:support/|${folder.slice('test/'.length)}\b)`),
      script,
    );
    t.match(ci, new RegExp(`^part ${script}$`, 'm'), `.ci/run runs ${script}`);
  }
});

t.test('runs every script for tests in CI', async (t) => {
  const tests = Object.keys(scripts).filter((name) => /^(test|test:.*|coverage|durability)$/.test(name));
  t.ok(tests.length > 4);
  for (const script of tests) t.match(ci, new RegExp(`^part ${script}$`, 'm'), script);
});

t.test('leaves no file in a heavy folder to nobody', async (t) => {
  const files = globSync(ALL_TESTS, { cwd: ROOT });
  t.ok(files.length > 100);
  const byGlob = Object.values(scripts).flatMap((command) => command.match(/'[^']*\*[^']*'/g) ?? []);
  const ran = globSync(
    byGlob.map((glob) => glob.slice(1, -1)),
    { cwd: ROOT },
  );
  const heavy = files.filter((file) => present.some(([folder]) => file.startsWith(`${folder}/`)));
  t.ok(heavy.length > 0);
  t.strictSame(
    heavy.filter((file) => !ran.includes(file)),
    [],
  );
});
