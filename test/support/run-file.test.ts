import { join, relative } from 'node:path';
import t, { type Test } from 'tap';
import { type FileOptions, runFile } from './run-file.ts';
import { ROOT } from './start-program.ts';

const TAP = "import t from 'tap';\n";

/** Runs a file of this text as a test. */
async function run(t: Test, text: string, options: Partial<FileOptions> = {}) {
  const directory = t.testdir({ 'sample.ts': text });
  const path = relative(ROOT, join(directory, 'sample.ts'));
  return runFile(path, { timeoutSeconds: 60, env: process.env, endWaitSeconds: 30, ...options });
}

t.test('counts the tests of a file that passes', async (t) => {
  const result = await run(t, `${TAP}t.test('a', async (t) => { t.ok(1); t.ok(1); });`);
  t.match(result, { passed: 2, failed: 0, omitted: 0, problem: null, lines: [] });
});

t.test('shows a failure with its name and diagnostics, once', async (t) => {
  const result = await run(t, `${TAP}t.test('adds', async (t) => { t.equal(1 + 1, 3); });`);
  t.match(result, { passed: 0, failed: 1 });
  const failures = result.lines.filter((line) => line.startsWith('not ok'));
  t.strictSame(failures, [`not ok ${result.path} > adds > should be equal`]);
  t.match(result.lines.join('\n'), /-3\n.*\+2/s);
});

t.test('shows what is omitted', async (t) => {
  const result = await run(t, `${TAP}t.test('later', { skip: 'no clock' }, async () => {});`);
  t.match(result, { passed: 0, failed: 0, omitted: 1, problem: null });
  t.match(result.lines, [/^omitted .* > later \(SKIP no clock\)$/]);
});

const BROKEN: readonly (readonly [string, string, RegExp])[] = [
  ['has no tests', TAP, /before its summary/],
  ['does not use tap', 'export {};', /before its summary/],
  ['plans none', `${TAP}t.plan(0);`, /has no tests|before its summary/],
  ['throws at its start', `${TAP}throw new Error('x');`, /exit code/],
  ['imports what is not there', `${TAP}import './nothing.ts';`, /exit code 1 before its summary/],
  [
    'leaves a rejection unhandled',
    `${TAP}t.test('a', async (t) => { t.pass(); void Promise.reject(new Error('x')); });`,
    /exit code 1 although its tests passed/,
  ],
  [
    'crashes after its tests',
    `${TAP}t.test('a', async (t) => { t.pass(); setTimeout(() => { throw new Error('x'); }, 50); });`,
    /exit code/,
  ],
  [
    'is killed',
    `${TAP}t.test('a', async (t) => { t.pass(); process.kill(process.pid, 'SIGKILL'); });`,
    /SIGKILL before its summary/,
  ],
];

for (const [what, text, problem] of BROKEN) {
  t.test(`fails a file that ${what}`, async (t) => {
    const result = await run(t, text);
    t.ok(result.problem !== null || result.failed > 0);
    t.match(`${result.problem} ${result.lines.join()}`, problem);
  });
}

t.test('fails a file that exits early with code 0', async (t) => {
  const result = await run(t, `${TAP}t.test('a', async (t) => { t.pass(); process.exit(0); });`);
  t.ok(result.failed > 0);
});

t.test('fails a file that sets its exit code to 0 after a failure', async (t) => {
  const text = `${TAP}t.test('a', async (t) => { t.fail(); });\nprocess.on('exit', () => { process.exitCode = 0; });`;
  t.equal((await run(t, text)).failed, 1);
});

t.test('kills a file that is busy for ever, and what it has started', async (t) => {
  const text = `${TAP}import { spawn } from 'node:child_process';
    t.test('a', async (t) => {
      // Holds the output of the file, whose end is waited for.
      spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      t.pass();
      for (;;);
    });`;
  const result = await run(t, text, { timeoutSeconds: 2, endWaitSeconds: 1 });
  t.match(result, { problem: 'was killed after 2 s' });
});

t.test('fails a file that leaves a program behind, and ends that', async (t) => {
  const text = `${TAP}import { spawn } from 'node:child_process';
    t.test('a', async (t) => {
      spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }).unref();
      t.pass();
    });`;
  t.match(await run(t, text), { passed: 1, problem: 'left a program behind that holds its output' });
});

t.test('fails a file whose handles keep it alive after its tests', async (t) => {
  const text = `${TAP}t.test('a', async (t) => { t.pass(); });\nsetInterval(() => {}, 1000);`;
  const result = await run(t, text, { timeoutSeconds: 2, endWaitSeconds: 1 });
  t.ok(result.problem !== null);
});

t.test('ends a file when the run is interrupted', async (t) => {
  const interruption = new AbortController();
  const running = run(t, 'setInterval(() => {}, 1000);', { signal: interruption.signal });
  interruption.abort();
  t.match(await running, { problem: 'was interrupted' });
});
