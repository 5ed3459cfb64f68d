/**
 * `npm run coverage`: the tests of domain, application and policies, measured by tap; fails on gaps. The last
 * line is `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { findCoverageGaps } from './coverage-gaps.ts';
import { ensurePrograms } from './install-programs.ts';
import { ROOT } from './start-program.ts';
import { TapReport } from './tap-report.ts';

const TESTS = 'test/{domain,application,policies}/**/*.test.ts';

/** What makes tap measure. It does not judge: it would not miss a file that no test loads. */
const MEASURE = [
  '--no-disable-coverage',
  '--allow-incomplete-coverage',
  '--coverage-map=test/support/coverage-map.ts',
  '--coverage-report=json',
];

const need = ensurePrograms();
if (need === null) process.exitCode = await measure();
else {
  console.error(need);
  process.exitCode = 1;
}

/** Returns 0 when tests ran, all of them passed, and no gap is left. */
async function measure(): Promise<number> {
  const { code, summary } = await runTap([...MEASURE, TESTS]);
  if (summary !== null && summary.omitted > 0) console.log(`${summary.omitted} omitted`);
  const gaps = summary === null ? [] : findCoverageGaps(ROOT);
  for (const gap of gaps) console.log(`not covered: ${gap}`);
  const { passed, failed } = summary ?? { passed: 0, failed: 1 };
  console.log(`${passed} passed, ${failed} failed`);
  return code === 0 && failed === 0 && passed > 0 && gaps.length === 0 ? 0 : 1;
}

async function runTap(
  args: readonly string[],
): Promise<{ code: number | null; summary: TapReport['summary'] }> {
  const tap = spawn(process.execPath, ['node_modules/.bin/tap', '--reporter=tap', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // A terminal has sent its Ctrl-C to tap too.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => tap.kill('SIGTERM'));
  const closed = once(tap, 'close') as Promise<[number | null, string | null]>;
  const report = new TapReport((line) => console.log(line));
  for await (const line of createInterface({ input: tap.stdout })) report.add(line);
  const [code, signal] = await closed;
  const { summary } = report;
  if (summary === null) console.error(`tap ended with ${signal ?? `exit code ${code}`} before its summary.`);
  return { code, summary };
}
