import { closeSync, openSync, readSync } from 'node:fs';
import { RECORD_VERSION } from '../../../domain/decision-log/decision-record.ts';

/** More than the longest record. */
const LINE_BYTES_MAX = 64 * 1024;
/** How every line begins that this version writes. */
const LINE_START = `{"version":${RECORD_VERSION},"kind":"`;
const KINDS: readonly unknown[] = ['decision', 'gap'];

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
    const start = Buffer.alloc(LINE_BYTES_MAX);
    const length = readSync(file, start, 0, start.length, 0);
    return isOurs(start.subarray(0, length)) ? [] : [`DECISION_LOG_FILE ${path}: is not a file of decisions`];
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    return [`DECISION_LOG_FILE ${path}: cannot be read (${String(code)})`];
  } finally {
    closeSync(file);
  }
}

/** Whether a file that begins like this is empty, or begins with a record, whole or as a crash left it. */
function isOurs(start: Buffer): boolean {
  if (start.length === 0 || start[0] === 0) return true;
  const [first = ''] = start.toString('utf8').split('\n', 1);
  if (first.startsWith(LINE_START) || (first.length === start.length && LINE_START.startsWith(first)))
    return true;
  try {
    const value: unknown = JSON.parse(first);
    return typeof value === 'object' && value !== null && KINDS.includes(Reflect.get(value, 'kind'));
  } catch {
    // A SyntaxError: it is somebody else's.
    return false;
  }
}
