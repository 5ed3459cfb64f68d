import type { Situation } from './case-schema.ts';

/** The first with all that the second says besides and otherwise: of each part, by its members. */
export function mergeSituations(first: Situation, second: Situation): Situation {
  const merged: Record<string, unknown> = { ...first };
  for (const [name, value] of Object.entries(second)) {
    const known = merged[name];
    merged[name] = isMapping(known) && isMapping(value) ? { ...known, ...value } : value;
  }
  return merged as Situation;
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
