import type { DecisionGroups, Grouping } from '../../../domain/decision-log/decision-groups.ts';
import { BUCKETS } from '../../../domain/decision-log/record-counts.ts';
import type { RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import type { Column } from './column-chunk.ts';
import { classifyEntries, type EntryClasses } from './entry-classes.ts';
import { EntryMatches, greatestOf, type SegmentDictionary, type Selection } from './entry-matches.ts';
import { type EntryChunk, MINUTE_MS } from './segment-columns.ts';

/** Counts of pairs that stand in one array; of more most would stay empty. */
const DENSE_MAX = 2 ** 20;

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
  const counts = new SegmentCounts(dictionary, grouping, groups);
  for (const chunk of chunks) {
    const selection = matches.touches(chunk) ? matches.select(chunk) : null;
    if (selection !== null && selection.length > 0) counts.add(chunk, selection);
  }
  counts.finish();
}

/**
 * Counts the entries of one segment, column by column. The counts are by the numbers in the columns; what
 * these stand for is looked up once for each step.
 */
class SegmentCounts {
  readonly #grouping: Grouping;
  readonly #groups: DecisionGroups;
  readonly #degraded: Uint8Array;
  readonly #shapes: Uint32Array;
  readonly #latencies = new Uint32Array(BUCKETS);
  readonly #first: EntryClasses | undefined;
  /** Of the first key, by the numbers of its column, where that is not the shape. */
  readonly #firsts: Uint32Array;
  readonly #pairs: PairCounts | null;
  /** The step whose counts these are. */
  #step = Number.NaN;

  constructor(dictionary: SegmentDictionary, grouping: Grouping, groups: DecisionGroups) {
    const shapes = dictionary.shapes();
    this.#grouping = grouping;
    this.#groups = groups;
    this.#degraded = new Uint8Array(greatestOf(shapes) + 1);
    for (const [number, { degraded }] of shapes) this.#degraded[number] = degraded ? 1 : 0;
    this.#shapes = new Uint32Array(this.#degraded.length);
    const [first, second] = grouping.by.map((key) => classifyEntries(dictionary, key));
    this.#first = first;
    this.#firsts = new Uint32Array(first?.classOf.length ?? 0);
    this.#pairs = first === undefined || second === undefined ? null : new PairCounts(first, second);
  }

  add(chunk: EntryChunk, selection: Selection): void {
    this.#pairs?.add(chunk, selection);
    for (const [step, places] of this.#bySteps(chunk, selection)) {
      if (step !== this.#step) this.#tell();
      this.#step = step;
      raiseAll(this.#shapes, chunk.column('shape'), places);
      raiseAll(this.#latencies, chunk.column('latency'), places);
      if (this.#first !== undefined && this.#first.source !== 'shape')
        raiseAll(this.#firsts, this.#first.column(chunk), places);
    }
  }

  finish(): void {
    this.#tell();
    this.#pairs?.tell(this.#groups);
  }

  /** Gives the counts of a step away, and begins again. */
  #tell(): void {
    const startMs = this.#grouping.sinceMs + this.#step * this.#grouping.stepMs;
    let [total, degraded] = [0, 0];
    each(this.#shapes, (shape, count) => {
      total += count;
      degraded += this.#degraded[shape] === 1 ? count : 0;
    });
    if (total > 0) this.#groups.addStep(startMs, total, degraded);
    each(this.#latencies, (bucket, count) => this.#groups.addLatency(startMs, bucket, count));
    const first = this.#first;
    if (first !== undefined)
      each(first.source === 'shape' ? this.#shapes : this.#firsts, (number, count) => {
        for (const value of first.values[first.classOf[number] as number] ?? [])
          this.#groups.addValue(startMs, value, count);
      });
    this.#shapes.fill(0);
    this.#latencies.fill(0);
    this.#firsts.fill(0);
  }

  /** Most chunks lie within one step. */
  #bySteps(chunk: EntryChunk, selection: Selection): Iterable<readonly [number, Selection]> {
    const [sinceMinute, stepMinutes] = [
      this.#grouping.sinceMs / MINUTE_MS,
      this.#grouping.stepMs / MINUTE_MS,
    ];
    const stepOf = (minute: number) => Math.floor((minute - sinceMinute) / stepMinutes);
    const first = stepOf(chunk.firstMinute);
    if (first === stepOf(chunk.lastMinute)) return [[first, selection]];
    const minutes = chunk.column('minute');
    const steps = new Map<number, number[]>();
    for (const place of selection) {
      const step = stepOf(chunk.firstMinute + (minutes[place] as number));
      const places = steps.get(step);
      if (places === undefined) steps.set(step, [place]);
      else places.push(place);
    }
    return [...steps].map(([step, places]) => [step, Uint32Array.from(places)] as const);
  }
}

/** Counts entries by the classes of two keys, over all steps. */
class PairCounts {
  readonly #first: EntryClasses;
  readonly #second: EntryClasses;
  /** By number, where both keys are about one column. */
  readonly #numbers: Uint32Array | null;
  readonly #dense: Uint32Array | null;
  readonly #sparse = new Map<number, number>();

  constructor(first: EntryClasses, second: EntryClasses) {
    this.#first = first;
    this.#second = second;
    this.#numbers = first.source === second.source ? new Uint32Array(first.classOf.length) : null;
    const size = first.values.length * second.values.length;
    this.#dense = this.#numbers === null && size <= DENSE_MAX ? new Uint32Array(size) : null;
  }

  add(chunk: EntryChunk, selection: Selection): void {
    const firsts = this.#first.column(chunk);
    if (this.#numbers !== null) {
      raiseAll(this.#numbers, firsts, selection);
      return;
    }
    const seconds = this.#second.column(chunk);
    const [classOfFirst, classOfSecond, width] = [
      this.#first.classOf,
      this.#second.classOf,
      this.#second.values.length,
    ];
    for (let at = 0; at < selection.length; at += 1) {
      const place = selection[at] as number;
      const cell =
        (classOfFirst[firsts[place] as number] as number) * width +
        (classOfSecond[seconds[place] as number] as number);
      if (this.#dense !== null) this.#dense[cell] = (this.#dense[cell] as number) + 1;
      else this.#sparse.set(cell, (this.#sparse.get(cell) ?? 0) + 1);
    }
  }

  tell(groups: DecisionGroups): void {
    const [first, second] = [this.#first, this.#second];
    const add = (firstClass: number, secondClass: number, count: number) => {
      for (const value of first.values[firstClass] ?? [])
        for (const other of second.values[secondClass] ?? []) groups.addPair(value, other, count);
    };
    const width = second.values.length;
    const addCell = (cell: number, count: number) => add(Math.floor(cell / width), cell % width, count);
    if (this.#numbers !== null)
      each(this.#numbers, (number, count) =>
        add(first.classOf[number] as number, second.classOf[number] as number, count),
      );
    if (this.#dense !== null) each(this.#dense, addCell);
    for (const [cell, count] of this.#sparse) addCell(cell, count);
  }
}

function raiseAll(counts: Uint32Array, column: Column, selection: Selection): void {
  for (let at = 0; at < selection.length; at += 1) {
    const number = column[selection[at] as number] as number;
    counts[number] = (counts[number] as number) + 1;
  }
}

/** Calls back for each count above 0. */
function each(counts: Uint32Array, tell: (number: number, count: number) => void): void {
  for (let number = 0; number < counts.length; number += 1) {
    const count = counts[number] as number;
    if (count > 0) tell(number, count);
  }
}
