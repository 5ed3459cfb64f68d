import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './start-program.ts';

/** ClickHouse as a library, from PyPI: 180 MB that are fetched once. What else it could use is left out. */
const PACKAGES = ['chdb==4.4.0', 'chdb-core==26.9.0'] as const;
const FOLDER = join(ROOT, '.tap/chdb-26.9.0');
const PROGRAM = join(ROOT, 'test/engines/clickhouse.py');

/** An engine in a process of its own. */
export interface ClickHouse {
  /** Runs one statement, and resolves with its rows. Rejects with what the engine says against it. */
  query(sql: string, params?: Readonly<Record<string, string>>): Promise<readonly Row[]>;
}

/** A row by its columns. */
export type Row = Readonly<Record<string, unknown>>;

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

/** Starts an engine with its data in a directory. It ends with the test. */
export async function startClickHouse(t: Teardown, directory: string): Promise<ClickHouse> {
  const child = spawn(findPython(), [PROGRAM, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child, 'spawn');
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    query: async (sql, params = {}) => {
      child.stdin.write(`${JSON.stringify({ sql, params })}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the engine has ended');
      const answer = JSON.parse(value) as { readonly rows: readonly Row[] } | { readonly error: string };
      if ('error' in answer) throw new Error(`${answer.error}\n${sql}`);
      return answer.rows;
    },
  };
}

/** The Python of an environment that has the engine; it is made where it is not there yet. */
function findPython(): string {
  const python = join(FOLDER, 'bin/python');
  if (existsSync(python)) return python;
  const work = mkdtempSync(`${FOLDER}-`);
  run('python3', ['-m', 'venv', work]);
  run(join(work, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--no-deps', ...PACKAGES]);
  // The environment finds itself by where its program is; scripts of pip, which do not, are not used.
  if (existsSync(FOLDER)) rmSync(work, { recursive: true });
  else renameSync(work, FOLDER);
  return python;
}

function run(program: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
}
