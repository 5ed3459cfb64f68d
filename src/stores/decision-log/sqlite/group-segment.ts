import type { DecisionGroups, Grouping } from '../../../domain/decision-log/decision-groups.ts';
import { BUCKETS } from '../../../domain/decision-log/record-counts.ts';
import type { RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import type { RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import { classifyEntries, type EntryClasses } from './entry-classes.ts';
import { EntryMatches, greatestOf, type SegmentDictionary } from './entry-matches.ts';
import { type EntryChunk, MINUTE_MS } from './segment-columns.ts';

/** Counts that stand in one array; of more most would stay empty. */
const DENSE_MAX = 2 ** 20;
const DENSE_STEP_MAX = 2 ** 10;

/**
 * Adds the entries of some chunks of one segment that match a filter. The window and its steps are whole
 * minutes.
 */
export function groupSegment(
  dictionary: SegmentDictionary,
  chunks: Iterable<EntryChunk>,
  filter: RecordFilter,
  grouping: Grouping,
  groups: DecisionGroups,
): void {
  const matches = new EntryMatches(dictionary, filter, { takesOthers: false });
  const [first, second] = grouping.by.map((key) => classifyEntries(dictionary, key));
  const counts = new SegmentCounts(dictionary.shapes(), grouping, first, second);
  for (const chunk of chunks) if (matches.touches(chunk)) counts.add(chunk, matches.of(chunk));
  counts.tell(groups);
}

/** The counts of one step. */
interface StepCount {
  total: number;
  degraded: number;
  readonly latencies: Uint32Array;
  readonly values: CellCounts;
}

/** Counts the entries of one segment by their classes. */
class SegmentCounts {
  readonly #degraded: Uint8Array;
  readonly #grouping: Grouping;
  readonly #first: EntryClasses | undefined;
  readonly #second: EntryClasses | undefined;
  readonly #steps = new Map<number, StepCount>();
  readonly #pairs: CellCounts;

  constructor(
    shapes: ReadonlyMap<number, RecordFacts>,
    grouping: Grouping,
    first: EntryClasses | undefined,
    second: EntryClasses | undefined,
  ) {
    this.#degraded = new Uint8Array(greatestOf(shapes) + 1);
    for (const [number, { degraded }] of shapes) this.#degraded[number] = degraded ? 1 : 0;
    this.#grouping = grouping;
    this.#first = first;
    this.#second = second;
    this.#pairs = new CellCounts((first?.values.length ?? 0) * (second?.values.length ?? 0), DENSE_MAX);
  }

  add(chunk: EntryChunk, isMatch: (place: number) => boolean): void {
    const [shapes, latencies] = [chunk.column('shape'), chunk.column('latency')];
    const stepOf = this.#toStepOf(chunk);
    const first = this.#first?.of(chunk);
    const second = this.#second?.of(chunk);
    const seconds = this.#second?.values.length ?? 0;
    for (let place = 0; place < chunk.count; place += 1) {
      if (!isMatch(place)) continue;
      const step = stepOf(place);
      step.total += 1;
      step.degraded += this.#degraded[shapes[place] as number] as number;
      step.latencies[latencies[place] as number] = (step.latencies[latencies[place] as number] as number) + 1;
      if (first === undefined) continue;
      const value = first(place);
      step.values.raise(value);
      if (second !== undefined) this.#pairs.raise(value * seconds + second(place));
    }
  }

  tell(groups: DecisionGroups): void {
    const values = this.#first?.values ?? [];
    for (const [number, step] of this.#steps) {
      // A step is there as soon as a chunk is.
      if (step.total === 0) continue;
      const startMs = this.#grouping.sinceMs + number * this.#grouping.stepMs;
      groups.addStep(startMs, step.total, step.degraded);
      step.latencies.forEach((count, bucket) => {
        if (count > 0) groups.addLatency(startMs, bucket, count);
      });
      step.values.each((place, count) => {
        for (const value of values[place] ?? []) groups.addValue(startMs, value, count);
      });
    }
    const others = this.#second?.values ?? [];
    this.#pairs.each((cell, count) => {
      for (const value of values[Math.floor(cell / others.length)] ?? [])
        for (const other of others[cell % others.length] ?? []) groups.addPair(value, other, count);
    });
  }

  /** Most chunks lie within one step. */
  #toStepOf(chunk: EntryChunk): (place: number) => StepCount {
    const [sinceMinute, stepMinutes] = [
      this.#grouping.sinceMs / MINUTE_MS,
      this.#grouping.stepMs / MINUTE_MS,
    ];
    const numberOf = (minute: number) => Math.floor((minute - sinceMinute) / stepMinutes);
    const number = numberOf(chunk.firstMinute);
    if (number >= 0 && number === numberOf(chunk.lastMinute)) {
      const step = this.#stepAt(number);
      return () => step;
    }
    const minutes = chunk.column('minute');
    return (place) => this.#stepAt(numberOf(chunk.firstMinute + (minutes[place] as number)));
  }

  #stepAt(number: number): StepCount {
    let step = this.#steps.get(number);
    if (step === undefined) {
      const values = new CellCounts(this.#first?.values.length ?? 0, DENSE_STEP_MAX);
      step = { total: 0, degraded: 0, latencies: new Uint32Array(BUCKETS), values };
      this.#steps.set(number, step);
    }
    return step;
  }
}

/** Counts by number: in an array where there are few different ones. */
class CellCounts {
  readonly #dense: Uint32Array | null;
  readonly #sparse = new Map<number, number>();

  constructor(size: number, denseMax: number) {
    this.#dense = size <= denseMax ? new Uint32Array(size) : null;
  }

  raise(cell: number): void {
    if (this.#dense !== null) this.#dense[cell] = (this.#dense[cell] as number) + 1;
    else this.#sparse.set(cell, (this.#sparse.get(cell) ?? 0) + 1);
  }

  /** Calls back for each count above 0. */
  each(tell: (cell: number, count: number) => void): void {
    this.#dense?.forEach((count, cell) => {
      if (count > 0) tell(cell, count);
    });
    for (const [cell, count] of this.#sparse) tell(cell, count);
  }
}
