import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT } from './start-program.ts';
import { TapReport } from './tap-report.ts';

/** How one test file ended. */
export interface FileResult {
  readonly path: string;
  readonly passed: number;
  readonly failed: number;
  readonly omitted: number;
  /** Each failure in full, and what was omitted. */
  readonly lines: readonly string[];
  /** Why the file has failed beside its failed tests, otherwise null. */
  readonly problem: string | null;
  readonly seconds: number;
}

export interface FileOptions {
  readonly timeoutSeconds: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What tap is given beyond the timeout to end the file and say why; 15 unless set. */
  readonly endWaitSeconds?: number;
  /** Aborted when the whole run ends early. */
  readonly signal?: AbortSignal;
}

/** Where the whole report of each file is kept. */
const RESULTS = '.tap/results';
/** tap ends a file at its timeout by itself, unless the file keeps its event loop busy or a handle open. */
const END_WAIT_SECONDS = 15;
/** What a file has started ends with it; pipes that something still holds are cut then. */
const PIPE_WAIT_MS = 5_000;

/**
 * Runs one test file as a program of its own, and ends whatever it leaves behind. Resolves whatever the file
 * does.
 */
export async function runFile(path: string, options: FileOptions): Promise<FileResult> {
  const beganMs = performance.now();
  const child = spawn(process.execPath, [path], {
    cwd: ROOT,
    // A group of its own, which can be ended as a whole.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...options.env, TAP_TIMEOUT: String(options.timeoutSeconds) },
  });
  const lines: string[] = [];
  const report = new TapReport((line) => lines.push(line), path);
  const output: string[] = [];
  let errors = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    output.push(line);
    report.add(line);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const problem = await endOf(child, options);
  keep(path, output);
  const { passed, failed, omitted } = report.summary ?? { passed: 0, failed: 0, omitted: 0 };
  const said =
    errors === ''
      ? []
      : errors
          .trimEnd()
          .split('\n')
          .map((line) => `  ${line}`);
  return {
    path,
    passed,
    failed,
    omitted,
    lines: [...lines, ...said],
    problem: problem ?? judge(report, failed, child),
    seconds: (performance.now() - beganMs) / 1000,
  };
}

/** Null when the file has ended by itself. */
async function endOf(child: ChildProcess, options: FileOptions): Promise<string | null> {
  const { timeoutSeconds, signal, endWaitSeconds = END_WAIT_SECONDS } = options;
  const closed = once(child, 'close');
  closed.catch(() => {});
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), (timeoutSeconds + endWaitSeconds) * 1000);
  const ends = signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]);
  let problem: string | null = null;
  try {
    await once(child, 'exit', { signal: ends });
    const isClosed = await Promise.race([
      closed.then(() => true),
      delay(PIPE_WAIT_MS, false, { ref: false }),
    ]);
    if (!isClosed) problem = 'left a program behind that holds its output';
  } catch (error) {
    if (child.pid === undefined) problem = `could not be started: ${String(error)}`;
    else problem = limit.signal.aborted ? `was killed after ${timeoutSeconds} s` : 'was interrupted';
  } finally {
    clearTimeout(timer);
    endGroup(child);
  }
  if (child.pid !== undefined) await closed;
  return problem;
}

/** SIGKILL for the file's group: after the file's own end there is nothing in it that anybody needs. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: nothing is left of the group.
  }
}

/** A file proves something only by its own count, to the end, and with an exit code that agrees. */
function judge(
  { summary }: TapReport,
  failed: number,
  { exitCode, signalCode }: ChildProcess,
): string | null {
  const end = signalCode ?? `exit code ${exitCode}`;
  if (summary === null) return `ended with ${end} before its summary`;
  if (summary.passed + summary.failed + summary.omitted === 0) return 'has no tests';
  if (failed === 0 && exitCode !== 0) return `ended with ${end} although its tests passed`;
  return null;
}

function keep(path: string, output: readonly string[]): void {
  const file = join(ROOT, RESULTS, `${path}.tap`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${output.join('\n')}\n`);
}
