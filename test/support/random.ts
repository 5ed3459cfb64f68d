/** Numbers from 0 to 1, the same each time for the same seed. */
export type Random = () => number;

/** Numbers from 0 to 1, the same each time. */
export function createRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** One of these values. */
export function pick<Value>(random: Random, values: readonly Value[]): Value {
  return values[Math.floor(random() * values.length)] as Value;
}
