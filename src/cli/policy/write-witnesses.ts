import { join } from 'node:path';
import type { Witness } from '../../domain/policy-analysis/witness.ts';
import { makeDirectory } from '../../platform/make-directory.ts';
import { CommandFailure } from '../command.ts';
import { writeTextFile } from './write-text-file.ts';

/** Something that a witness shows. */
interface Shown {
  /** The name of its file, without the ending. */
  readonly name: string;
  readonly witness: Witness | undefined;
}

/**
 * Writes each witness to a file of its own in this directory, and returns the path of each; null without one.
 * Throws a `CommandFailure` where that is not possible.
 */
export function writeWitnesses(
  given: string | boolean | undefined,
  shown: readonly Shown[],
): readonly (string | null)[] {
  const directory = typeof given === 'string' ? given : undefined;
  if (directory !== undefined) makeFolder(directory);
  return shown.map(({ name, witness }, place) => {
    if (directory === undefined || witness === undefined) return null;
    const path = join(directory, `${String(place + 1).padStart(2, '0')}-${name}.json`);
    writeTextFile(path, `${JSON.stringify(witness, null, 2)}\n`);
    return path;
  });
}

function makeFolder(path: string): void {
  try {
    makeDirectory(path);
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    throw new CommandFailure('file_unwritable', `${path}: cannot be made a directory (${String(code)})`);
  }
}
