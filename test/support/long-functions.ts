import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ROOT } from './start-program.ts';

const OXLINT = `${ROOT}/node_modules/.bin/oxlint`;
const CODE = 'eslint(max-lines-per-function)';

interface Finding {
  readonly code: string;
  readonly filename: string;
  readonly message: string;
}

/**
 * The functions below `src` of a folder that are longer than the rule of the linter allows, as `file:
 * message`. The folder holds the configuration of the linter.
 */
export async function findLongFunctions(folder: string): Promise<readonly string[]> {
  const options = ['-c', '.oxlintrc.json', '--format', 'json', 'src'];
  const { stdout } = await run(options, folder);
  const { diagnostics, number_of_files: files } = JSON.parse(stdout) as {
    readonly diagnostics: readonly Finding[];
    readonly number_of_files: number;
  };
  if (files === 0) throw new Error('the linter looked at no file');
  return diagnostics
    .filter(({ code }) => code === CODE)
    .map(({ filename, message }) => `${filename}: ${message}`);
}

/** A finding makes the linter end with 1, which is an answer too. */
async function run(options: readonly string[], cwd: string): Promise<{ readonly stdout: string }> {
  try {
    return await promisify(execFile)(OXLINT, options, { cwd, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 1)
      return { stdout: String(Reflect.get(error, 'stdout')) };
    throw error;
  }
}
