import { closeSync, lstatSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../../platform/make-directory.ts';
import { CommandFailure } from '../command.ts';
import type { FirstFile } from './first-files.ts';

const MODES = { secret: 0o600, plain: 0o644, folderOfSecrets: 0o700 } as const;

/**
 * Writes all files, or none: where one of them is there already, whatever it is, nothing is changed. Throws a
 * CommandFailure. A file that comes to be there meanwhile is not overwritten either.
 */
export function writeNewFiles(directory: string, files: readonly FirstFile[]): void {
  const there = files.map(({ path }) => join(directory, path)).filter(isThere);
  if (there.length > 0)
    throw new CommandFailure(
      'files_exist',
      `nothing was written: ${there.join(', ')} ${there.length === 1 ? 'is' : 'are'} there already`,
    );
  const written: string[] = [];
  try {
    makeDirectory(directory);
    for (const file of files) {
      const path = join(directory, file.path);
      makeDirectory(dirname(path), MODES.folderOfSecrets);
      const descriptor = openSync(path, 'wx', file.isSecret ? MODES.secret : MODES.plain);
      written.push(path);
      try {
        writeFileSync(descriptor, file.text);
      } finally {
        closeSync(descriptor);
      }
    }
  } catch (error) {
    for (const path of written) rmSync(path, { force: true });
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    throw new CommandFailure('not_written', `${directory} cannot be written to (${String(code)})`);
  }
}

/** A link that leads nowhere is something too. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // ENOTDIR, EACCES: writing says so.
    return false;
  }
}
