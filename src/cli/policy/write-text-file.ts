import { writeFileSync } from 'node:fs';
import { CommandFailure } from '../command.ts';

/** Writes a file. Throws a `CommandFailure` where that is not possible. */
export function writeTextFile(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    throw new CommandFailure('file_unwritable', `${path}: cannot be written (${String(code)})`);
  }
}
