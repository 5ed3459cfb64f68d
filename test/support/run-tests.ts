/**
 * `npm test`: every test file that no other command has, or those that the arguments name. Each is a program
 * of its own; a line with `n/N` for each as it ends, with its failures in full. `--jobs=3` at once,
 * `--timeout=300` seconds for a file, `--browser` and `--kafka` make sure of one. The last line is `N passed,
 * N failed`. Whole reports are in .tap/results.
 */
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import {
  BROWSER,
  DEPLOYING,
  ensurePrograms,
  installMissing,
  KAFKA,
  REQUIRED,
  thisMachine,
} from './install-programs.ts';
import { type FileResult, runFile } from './run-file.ts';
import { ROOT } from './start-program.ts';
import { ALL_TESTS, FUZZ_FACTOR, HEAVY_FOLDERS } from './test-commands.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    // One more than there are cores: many files wait for timers and servers most of the time.
    jobs: { type: 'string', default: String(availableParallelism() + 1) },
    timeout: { type: 'string', default: '300' },
    browser: { type: 'boolean', default: false },
    kafka: { type: 'boolean', default: false },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  const more = [...(values.browser ? [BROWSER] : []), ...(values.kafka ? KAFKA : [])];
  const need = ensurePrograms(thisMachine, [...REQUIRED, ...more]);
  if (need !== null) console.error(need);
  const unknown = positionals.filter((pattern) => globSync(pattern, { cwd: ROOT }).length === 0);
  for (const pattern of unknown) console.error(`no test file has the name ${pattern}`);
  const files = findFiles();
  // Before files run side by side: a package manager lets one at a time.
  if (files.some((file) => file.startsWith('test/deploy/'))) installMissing(DEPLOYING);
  const results = need === null && unknown.length === 0 ? await runAll(files) : [];
  const sum = (count: (result: FileResult) => number) =>
    results.reduce((total, result) => total + count(result), 0);
  const omitted = sum((result) => result.omitted);
  if (omitted > 0) console.log(`${omitted} omitted`);
  const passed = sum((result) => result.passed);
  const failed = sum(countFailures) + files.length - results.length + unknown.length;
  console.log(`${passed} passed, ${Math.max(failed, passed === 0 ? 1 : 0)} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

/** What has gone wrong with a file as a whole counts as one more. */
function countFailures({ failed, problem }: FileResult): number {
  return failed + (problem === null ? 0 : 1);
}

function findFiles(): readonly string[] {
  const patterns = positionals.length > 0 ? positionals : [ALL_TESTS];
  const files = [...new Set(globSync(patterns, { cwd: ROOT }))].toSorted();
  if (positionals.length > 0) return files;
  return files.filter((file) => !HEAVY_FOLDERS.some((folder) => file.startsWith(`${folder}/`)));
}

async function runAll(files: readonly string[]): Promise<readonly FileResult[]> {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
  const options = {
    timeoutSeconds: Number(values.timeout),
    env: toEnvironment(),
    signal: interruption.signal,
  };
  const waiting = [...files];
  const results: FileResult[] = [];
  const work = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      if (interruption.signal.aborted) return;
      const result = await runFile(path, options);
      results.push(result);
      show(result, `${results.length}/${files.length}`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  return results;
}

/** Compiled code is kept between files and runs, which saves a fifth of the time of most. */
function toEnvironment(): NodeJS.ProcessEnv {
  const isWhole = positionals.length === 0;
  return {
    NODE_COMPILE_CACHE: `${ROOT}.tap/compile-cache`,
    ...(isWhole ? { FUZZ_FACTOR } : {}),
    ...process.env,
  };
}

function show(result: FileResult, place: string): void {
  const { path, passed, problem, seconds, lines } = result;
  const word = countFailures(result) === 0 ? 'ok' : 'FAILED';
  console.log(`${place} ${word} ${path} ${passed} passed, ${seconds.toFixed(1)} s`);
  for (const line of lines) console.log(line);
  if (problem !== null) console.log(`not ok ${path} ${problem}`);
}
