import type { DecisionGroups } from '../../../domain/decision-log/decision-groups.ts';

/**
 * The decisions of one segment, counted by none, one or two keys, in flat lists: a fraction of what maps take.
 * Values are told by their places in lists of names.
 */
export class SegmentTally {
  /** A beginning, a total and how many are degraded. */
  readonly #steps: number[] = [];
  /** A beginning, a bucket and a count. */
  readonly #latencies: number[] = [];
  /** A beginning, a value of the first key and a count. */
  readonly #values: number[] = [];
  /** Two values and a count. */
  readonly #pairs: number[] = [];
  readonly #firsts = new Names();
  readonly #seconds = new Names();

  addStep(startMs: number, total: number, degraded: number): void {
    this.#steps.push(startMs, total, degraded);
  }

  addLatency(startMs: number, bucket: number, count: number): void {
    this.#latencies.push(startMs, bucket, count);
  }

  addValue(startMs: number, value: string, count: number): void {
    this.#values.push(startMs, this.#firsts.numberOf(value), count);
  }

  addPair(first: string, second: string, count: number): void {
    this.#pairs.push(this.#firsts.numberOf(first), this.#seconds.numberOf(second), count);
  }

  /** Numbers and names that it holds. */
  get size(): number {
    const numbers = this.#steps.length + this.#latencies.length + this.#values.length + this.#pairs.length;
    return numbers + this.#firsts.list.length + this.#seconds.list.length;
  }

  /** Adds what it holds to the counts of several segments. */
  addTo(groups: DecisionGroups): void {
    const [firsts, seconds] = [this.#firsts.list, this.#seconds.list];
    eachThree(this.#steps, (startMs, total, degraded) => groups.addStep(startMs, total, degraded));
    eachThree(this.#latencies, (startMs, bucket, count) => groups.addLatency(startMs, bucket, count));
    eachThree(this.#values, (startMs, value, count) => groups.addValue(startMs, firsts[value] ?? '', count));
    eachThree(this.#pairs, (first, second, count) =>
      groups.addPair(firsts[first] ?? '', seconds[second] ?? '', count),
    );
  }
}

/** Numbers names, each once. */
class Names {
  readonly list: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.list.length;
      this.list.push(name);
      this.#numbers.set(name, number);
    }
    return number;
  }
}

function eachThree(list: readonly number[], tell: (one: number, two: number, three: number) => void): void {
  for (let at = 0; at < list.length; at += 3)
    tell(list[at] as number, list[at + 1] as number, list[at + 2] as number);
}
