import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './start-program.ts';

/** Runs the commands of a page as they stand there, by the word that each begins with. */
export type RunCommands = (
  name: string,
  env: Readonly<Record<string, string>>,
  /** The user that runs them, where it is another one. */
  user?: object,
) => Promise<void>;

/** Reads the commands of a page of the manual: fences of `sh` whose first line is a comment that names them. */
export function readPageCommands(page: string): RunCommands {
  const fences = readFileSync(join(ROOT, page), 'utf8').matchAll(/^```sh\n# ([a-z-]+)([\s\S]*?)^```$/gm);
  const commands = new Map([...fences].map(([, name = '', text = '']) => [name, `#${text}`]));
  return async (name, env, user = {}) => {
    const command = commands.get(name);
    if (command === undefined) throw new Error(`${page} has no commands ${name}`);
    const path = `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}`;
    await promisify(execFile)('bash', ['-euc', command], { env: { PATH: path, ...env }, ...user });
  };
}
