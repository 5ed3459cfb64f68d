/** A number of combinations, as people read one. */
export function toCount(count: number): string {
  return count < 1e6 ? String(count) : count.toExponential(1);
}
