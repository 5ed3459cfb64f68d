import { createSeededRandom as createNumbers } from '../../src/platform/seeded-random.ts';

/** The same numbers for the same seed, on every machine. */
export interface SeededRandom {
  /** A whole number in [0, end). */
  int(end: number): number;
  /** True for this share of all calls. */
  chance(share: number): boolean;
  pick<Value>(values: readonly Value[]): Value;
}

/** Builds a generator from a text. */
export function createSeededRandom(seed: string): SeededRandom {
  let state = 2_166_136_261;
  for (const char of seed) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 16_777_619);
  const next = createNumbers(state);
  return {
    int: (end) => Math.floor(next() * end),
    chance: (share) => next() < share,
    pick: <Value>(values: readonly Value[]): Value => {
      const value = values[Math.floor(next() * values.length)];
      if (value === undefined && values.length === 0) throw new RangeError('there is nothing to pick from');
      return value as Value;
    },
  };
}
