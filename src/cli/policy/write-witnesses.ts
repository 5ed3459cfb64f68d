import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Witness } from '../../domain/policy-analysis/witness.ts';

/** Something that a witness shows. */
interface Shown {
  /** The name of its file, without the ending. */
  readonly name: string;
  readonly witness: Witness | undefined;
}

/** Writes each witness to a file of its own in this directory, and returns the path of each; null without one. */
export function writeWitnesses(
  given: string | boolean | undefined,
  shown: readonly Shown[],
): readonly (string | null)[] {
  const directory = typeof given === 'string' ? given : undefined;
  if (directory !== undefined) mkdirSync(directory, { recursive: true });
  return shown.map(({ name, witness }, place) => {
    if (directory === undefined || witness === undefined) return null;
    const path = join(directory, `${String(place + 1).padStart(2, '0')}-${name}.json`);
    writeFileSync(path, `${JSON.stringify(witness, null, 2)}\n`);
    return path;
  });
}
