import { type CountGroup, type Counts, quantilesOfBuckets } from './record-counts.ts';

type Values = Map<string, number>;

const NO_VALUES: ReadonlyMap<string, number> = new Map();
const LATENCY_PREFIX = 'latency:';

/** Counts by group and value. A group is found by one lookup; flat counts would be searched name by name. */
export class GroupedCounts {
  readonly #groups = new Map<string, Values>();
  /** Buckets by series. */
  readonly #latencies = new Map<string, Values>();
  #size = 0;

  /** How many different counts there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds counts by their names. */
  add(counts: Counts): void {
    for (const [name, count] of counts) {
      if (name.startsWith(LATENCY_PREFIX)) {
        const slash = name.lastIndexOf('/');
        const series = name.slice(LATENCY_PREFIX.length, slash);
        this.#raise(this.#latencies, series, name.slice(slash + 1), count);
      } else {
        const colon = name.indexOf(':');
        this.#raise(this.#groups, name.slice(0, colon), name.slice(colon + 1), count);
      }
    }
  }

  /** Adds the counts of another. */
  addAll(other: GroupedCounts): void {
    for (const [group, values] of other.#groups)
      for (const [value, count] of values) this.#raise(this.#groups, group, value, count);
    for (const [series, buckets] of other.#latencies)
      for (const [bucket, count] of buckets) this.#raise(this.#latencies, series, bucket, count);
  }

  /** The counts of one group, by value. */
  of(group: Exclude<CountGroup, 'latency'>): ReadonlyMap<string, number> {
    return this.#groups.get(group) ?? NO_VALUES;
  }

  /** The names of the latency series, sorted. */
  series(): readonly string[] {
    return [...this.#latencies.keys()].sort();
  }

  /**
   * The quantiles of a series in milliseconds, to within 5 %, for each share (0 to 1); null for each where
   * nothing was counted.
   */
  quantilesOf(series: string, shares: readonly number[]): (number | null)[] {
    return quantilesOfBuckets(this.#latencies.get(series) ?? NO_VALUES, shares);
  }

  #raise(groups: Map<string, Values>, group: string, value: string, count: number): void {
    let values = groups.get(group);
    if (values === undefined) {
      values = new Map();
      groups.set(group, values);
    }
    const known = values.get(value);
    if (known === undefined) this.#size += 1;
    values.set(value, (known ?? 0) + count);
  }
}
