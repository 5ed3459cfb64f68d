/** Summaries of what some rules come to together, each known by a number. Merging is associative and commutative. */
export interface Summaries<Summary> {
  /** The number of the summary of no rule. */
  readonly none: number;
  numberOf(summary: Summary): number;
  summaryOf(number: number): Summary;
  merge(left: number, right: number): number;
}

/** Summaries with this way of merging two. Two are the same where their JSON is. */
export function createSummaries<Summary>(
  none: Summary,
  merge: (left: Summary, right: Summary) => Summary,
): Summaries<Summary> {
  const all: Summary[] = [];
  const numbers = new Map<string, number>();
  const merged = new Map<number, number>();
  const numberOf = (summary: Summary): number => {
    const text = JSON.stringify(summary);
    let number = numbers.get(text);
    if (number === undefined) {
      number = all.push(summary) - 1;
      numbers.set(text, number);
    }
    return number;
  };
  // Every number was given out for a summary.
  const summaryOf = (number: number): Summary => all[number] as Summary;
  const noneNumber = numberOf(none);
  return {
    none: noneNumber,
    numberOf,
    summaryOf,
    merge(left, right) {
      if (left === noneNumber) return right;
      if (right === noneNumber) return left;
      const pair = left * 67_108_864 + right;
      let number = merged.get(pair);
      if (number === undefined) {
        number = numberOf(merge(summaryOf(left), summaryOf(right)));
        merged.set(pair, number);
      }
      return number;
    },
  };
}
