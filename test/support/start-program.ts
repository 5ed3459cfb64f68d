import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Longer than a service takes to drain. */
const END_WAIT_MS = 12_000;

export interface ProgramOptions {
  /** The whole environment; nothing is inherited. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running child process and all that it has said. */
export interface Program {
  readonly child: ChildProcess;
  /**
   * Resolves with the first match in standard output, earlier output included. Rejects when the program ends
   * without one.
   */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when the program has ended and its output is complete. */
  readonly ended: Promise<ProgramEnd>;
}

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

/**
 * Starts a program that is ended, by its own process id, at the end of the test. Rejects when it cannot be
 * started.
 */
export async function startProgram(
  t: Teardown,
  command: readonly [string, ...string[]],
  options: ProgramOptions = {},
): Promise<Program> {
  const [file, ...args] = command;
  const { env = {}, cwd = ROOT } = options;
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => endProgram(child));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = (once(child, 'close') as Promise<[number | null, string | null]>).then(
    ([code, signal]): ProgramEnd => ({ code, signal, stdout, stderr }),
  );
  // The end is often nobody's concern, and a program that cannot be spawned is reported below.
  ended.catch(() => {});
  await once(child, 'spawn');
  const until = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(stdout);
      if (match) return match;
      const hasEnded = await Promise.race([
        once(child.stdout, 'data').then(() => false),
        ended.then(() => true),
      ]);
      if (hasEnded && !pattern.test(stdout)) {
        throw new Error(`the program ended without saying ${pattern}\n${stdout}\n${stderr}`);
      }
    }
  };
  return { child, until, ended };
}

/** Asks first: a program that is killed cannot end its own children. */
async function endProgram(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_WAIT_MS);
  await exited;
  clearTimeout(timer);
}

/** Runs a program to its end. */
export async function runProgram(
  t: Teardown,
  command: readonly [string, ...string[]],
  options: ProgramOptions = {},
): Promise<ProgramEnd> {
  const program = await startProgram(t, command, options);
  return program.ended;
}

/** A loopback port that nobody listens on at this moment. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
