import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from '../../../platform/lock-file.ts';
import { makeDirectory } from '../../../platform/make-directory.ts';

/** The folder of the history below `DATA_DIR`. */
const FOLDER = 'history';
const LOCK_FILE = 'lock';
/** Only the owner and the group may read it. */
const MODE = 0o750;

/** The directory of the history below that of all data. */
export function toHistoryDirectory(dataDirectory: string): string {
  return join(dataDirectory, FOLDER);
}

/** Creates the directory where it is missing. Throws with a `code` of the system. */
export function createDirectory(directory: string): void {
  makeDirectory(directory, MODE);
}

/** Why a directory cannot hold a history, one line each. Creates it where it is missing. */
export function findDataDirectoryMistakes(dataDirectory: string): readonly string[] {
  const directory = toHistoryDirectory(dataDirectory);
  try {
    createDirectory(directory);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return [];
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    return [`DATA_DIR ${dataDirectory}: cannot be written (${String(code)})`];
  }
}

/** Keeps other processes from writing to the directory for as long as the lock is open; see lockFile. */
export function lockDirectory(directory: string): { close(): void } {
  return lockFile(join(directory, LOCK_FILE));
}
