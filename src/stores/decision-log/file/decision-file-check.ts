import { closeSync, openSync, readSync } from 'node:fs';

/**
 * Why a path cannot be the file of a decision log, one line each. Creates the file where there is none. A
 * file that begins with something else is somebody else's: cutting its end off would harm it.
 */
export function findDecisionFileMistakes(path: string): readonly string[] {
  let file: number;
  try {
    file = openSync(path, 'a+', 0o640);
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    return [`DECISION_LOG_FILE ${path}: cannot be written (${String(code)})`];
  }
  try {
    const first = Buffer.alloc(1);
    const isOurs = readSync(file, first, 0, 1, 0) === 0 || first.toString() === '{' || first[0] === 0;
    return isOurs ? [] : [`DECISION_LOG_FILE ${path}: is not a file of JSON lines`];
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    return [`DECISION_LOG_FILE ${path}: cannot be read (${String(code)})`];
  } finally {
    closeSync(file);
  }
}
