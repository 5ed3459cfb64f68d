import type { DecisionRecord } from './decision-record.ts';
import { type GroupKey, type SaidLabel, toGroupedRecord, valuesOf } from './group-keys.ts';
import { bucketOf } from './record-counts.ts';

/** The decisions of one step, counted. */
export interface GroupedStep {
  /** Unix milliseconds. */
  readonly startMs: number;
  readonly total: number;
  readonly degraded: number;
  /** By the value of the first key, as far as it is among the most frequent; empty without a key. */
  readonly counts: ReadonlyMap<string, number>;
  /** Latencies of decisions by bucket; see bucketOf. */
  readonly latencies: ReadonlyMap<number, number>;
}

/** How many decisions have both values, of the two keys in their order. */
export interface GroupedPair {
  readonly values: readonly [first: string, second: string];
  readonly count: number;
}

/** Decisions, counted by none, one or two keys. */
export interface GroupedDecisions {
  /** Oldest first; those without a decision are absent. */
  readonly steps: readonly GroupedStep[];
  /** Values of the first key that are left out: an answer has CELLS_MAX counts of steps, about. */
  readonly valuesOmitted: number;
  /** Of the whole window, the most frequent first, bounded; empty without a second key. */
  readonly pairs: readonly GroupedPair[];
  /** Pairs beyond those. */
  readonly pairsOmitted: number;
  /**
   * Unix milliseconds: decisions of before were not looked at, since one question looks at a bounded number.
   * Null where all were.
   */
  readonly coveredFromMs: number | null;
}

/** How decisions are counted. */
export interface Grouping {
  /**
   * Unix milliseconds: the beginning of a step; the others are whole steps away from it. Both are whole
   * minutes.
   */
  readonly sinceMs: number;
  readonly stepMs: number;
  /** None, one or two keys. */
  readonly by: readonly GroupKey[];
  /** The most pairs in the answer; PAIRS_MAX unless set. */
  readonly pairsMax?: number;
}

/** About how many counts all steps of one answer have together: a few milliseconds to write. */
const CELLS_MAX = 20_000;
/** Values that are told however many steps there are. */
const VALUES_MIN = 12;
/** The most pairs of values in one answer, unless more are asked for. */
const PAIRS_MAX = 1_000;

interface Step {
  total: number;
  degraded: number;
  readonly counts: Map<string, number>;
  readonly latencies: Map<number, number>;
}

/** Adds up decisions, one by one or counted already. */
export class DecisionGroups {
  readonly #grouping: Grouping;
  readonly #steps = new Map<number, Step>();
  readonly #pairs = new Map<string, Map<string, number>>();

  constructor(grouping: Grouping) {
    this.#grouping = grouping;
  }

  /** `label` is the one in force; null without one. */
  add(record: DecisionRecord, label: SaidLabel | null): void {
    const grouped = toGroupedRecord(record, label);
    const startMs = this.#startOf(Date.parse(record.decided_at));
    this.addStep(startMs, 1, record.degraded ? 1 : 0);
    this.addLatency(startMs, bucketOf(record.latency_ms), 1);
    const [first, second] = this.#grouping.by.map((key) => valuesOf(grouped, key));
    for (const value of first ?? []) {
      this.addValue(startMs, value, 1);
      for (const other of second ?? []) this.addPair(value, other, 1);
    }
  }

  /** Adds decisions to the step that begins at a time. */
  addStep(startMs: number, total: number, degraded: number): void {
    const step = this.#stepAt(startMs);
    step.total += total;
    step.degraded += degraded;
  }

  addLatency(startMs: number, bucket: number, count: number): void {
    raise(this.#stepAt(startMs).latencies, bucket, count);
  }

  addValue(startMs: number, value: string, count: number): void {
    raise(this.#stepAt(startMs).counts, value, count);
  }

  addPair(first: string, second: string, count: number): void {
    let pairs = this.#pairs.get(first);
    if (pairs === undefined) {
      pairs = new Map();
      this.#pairs.set(first, pairs);
    }
    raise(pairs, second, count);
  }

  /** `coveredFromMs`: see GroupedDecisions. */
  read(coveredFromMs: number | null): GroupedDecisions {
    const steps = [...this.#steps].map(([startMs, step]) => ({ startMs, ...step }));
    const pairs = [...this.#pairs].flatMap(([first, others]) =>
      [...others].map(([second, count]): GroupedPair => ({ values: [first, second], count })),
    );
    return {
      ...withFrequentValues(steps),
      ...topPairs(pairs, this.#grouping.pairsMax ?? PAIRS_MAX),
      coveredFromMs,
    };
  }

  #startOf(timeMs: number): number {
    const { sinceMs, stepMs } = this.#grouping;
    return sinceMs + Math.floor((timeMs - sinceMs) / stepMs) * stepMs;
  }

  #stepAt(startMs: number): Step {
    let step = this.#steps.get(startMs);
    if (step === undefined) {
      step = { total: 0, degraded: 0, counts: new Map(), latencies: new Map() };
      this.#steps.set(startMs, step);
    }
    return step;
  }
}

/** The steps in their order, with the counts of values that are frequent in all of them together. */
function withFrequentValues(
  steps: readonly GroupedStep[],
): Pick<GroupedDecisions, 'steps' | 'valuesOmitted'> {
  const sorted = steps.toSorted((left, right) => left.startMs - right.startMs);
  const sums = new Map<string, number>();
  for (const { counts } of steps)
    for (const [value, count] of counts) sums.set(value, (sums.get(value) ?? 0) + count);
  const valuesMax = Math.max(VALUES_MIN, Math.floor(CELLS_MAX / Math.max(1, steps.length)));
  if (sums.size <= valuesMax) return { steps: sorted, valuesOmitted: 0 };
  const frequent = [...sums].sort(([left, sum], [right, other]) => other - sum || (left < right ? -1 : 1));
  const kept = new Set(frequent.slice(0, valuesMax).map(([value]) => value));
  const keep = (counts: ReadonlyMap<string, number>) =>
    new Map([...counts].filter(([value]) => kept.has(value)));
  return {
    steps: sorted.map((step) => ({ ...step, counts: keep(step.counts) })),
    valuesOmitted: sums.size - kept.size,
  };
}

/** The most frequent pairs, equal ones in the order of their values. */
function topPairs(
  pairs: readonly GroupedPair[],
  max: number,
): Pick<GroupedDecisions, 'pairs' | 'pairsOmitted'> {
  const sorted = pairs.toSorted((left, right) => right.count - left.count || compare(left, right));
  return { pairs: sorted.slice(0, max), pairsOmitted: Math.max(0, sorted.length - max) };
}

function compare({ values: [left, leftSecond] }: GroupedPair, { values: [right, rightSecond] }: GroupedPair) {
  if (left !== right) return left < right ? -1 : 1;
  return leftSecond < rightSecond ? -1 : 1;
}

function raise<Value>(counts: Map<Value, number>, value: Value, count: number): void {
  counts.set(value, (counts.get(value) ?? 0) + count);
}
