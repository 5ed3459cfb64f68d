import type { Grouping } from '../../../domain/decision-log/decision-groups.ts';
import { BUCKETS } from '../../../domain/decision-log/record-counts.ts';
import type { RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import type { Column, EntryChunk } from './column-chunk.ts';
import { classifyEntries, type EntryClasses } from './entry-classes.ts';
import { EntryMatches, greatestOf, type SegmentDictionary, type Selection } from './entry-matches.ts';
import { MINUTE_MS } from './segment-columns.ts';
import { GAP_SHAPE } from './segment-file.ts';
import type { SegmentTally } from './segment-tally.ts';

/** Counts of pairs that stand in one array; of more most would stay empty. */
const DENSE_MAX = 2 ** 20;

/**
 * Adds the entries of some chunks of one segment that match a filter, and gives the tally back. The window and its
 * steps are whole minutes.
 */
export function groupSegment(
  dictionary: SegmentDictionary,
  chunks: Iterable<EntryChunk>,
  filter: RecordFilter,
  grouping: Grouping,
  tally: SegmentTally,
): SegmentTally {
  const matches = new EntryMatches(dictionary, filter, { takesOthers: false });
  const counts = new SegmentCounts(dictionary, grouping, tally);
  for (const chunk of chunks) {
    if (!matches.touches(chunk)) continue;
    if (matches.takesAll(chunk) && counts.addWhole(chunk)) continue;
    const selection = matches.select(chunk);
    if (selection.length > 0) counts.add(chunk, selection);
  }
  counts.finish();
  return tally;
}

/**
 * Counts the entries of one segment, column by column. The counts are by the numbers in the columns; what
 * these stand for is looked up once for each step.
 */
class SegmentCounts {
  readonly #grouping: Grouping;
  readonly #tally: SegmentTally;
  readonly #degraded: Uint8Array;
  readonly #shapes: Uint32Array;
  readonly #latencies = new Uint32Array(BUCKETS);
  readonly #first: EntryClasses | undefined;
  /** Of the first key, by the numbers of its column, where that is not the shape. */
  readonly #firsts: Uint32Array;
  readonly #pairs: PairCounts | null;
  /** The step whose counts these are. */
  #step = Number.NaN;

  constructor(dictionary: SegmentDictionary, grouping: Grouping, tally: SegmentTally) {
    const shapes = dictionary.shapes();
    this.#grouping = grouping;
    this.#tally = tally;
    this.#degraded = new Uint8Array(greatestOf(shapes) + 1);
    for (const [number, { degraded }] of shapes) this.#degraded[number] = degraded ? 1 : 0;
    this.#shapes = new Uint32Array(this.#degraded.length);
    const [first, second] = grouping.by.map((key) => classifyEntries(dictionary, grouping.by, key));
    this.#first = first;
    this.#firsts = new Uint32Array(first?.classOf.length ?? 0);
    this.#pairs = first === undefined || second === undefined ? null : new PairCounts(first, second);
  }

  /** Adds all entries of a chunk. False, and nothing done, where they are of several steps, or some are gaps. */
  addWhole(chunk: EntryChunk): boolean {
    const step = this.#stepOf(chunk.firstMinute);
    if (step !== this.#stepOf(chunk.lastMinute)) return false;
    const shapes = chunk.column('shape');
    if (shapes.includes(GAP_SHAPE)) return false;
    this.#turnTo(step);
    raiseWhole(this.#shapes, shapes);
    raiseWhole(this.#latencies, chunk.column('latency'));
    const first = this.#first?.source === 'shape' ? shapes : this.#first?.column(chunk);
    if (first !== undefined && first !== shapes) raiseWhole(this.#firsts, first);
    this.#pairs?.addWhole(chunk, first ?? shapes, shapes);
    return true;
  }

  add(chunk: EntryChunk, selection: Selection): void {
    this.#pairs?.add(chunk, selection);
    for (const [step, places] of this.#bySteps(chunk, selection)) {
      this.#turnTo(step);
      raiseAll(this.#shapes, chunk.column('shape'), places);
      raiseAll(this.#latencies, chunk.column('latency'), places);
      if (this.#first !== undefined && this.#first.source !== 'shape')
        raiseAll(this.#firsts, this.#first.column(chunk), places);
    }
  }

  finish(): void {
    this.#tell();
    this.#pairs?.tell(this.#tally);
  }

  #turnTo(step: number): void {
    if (step !== this.#step) this.#tell();
    this.#step = step;
  }

  #stepOf(minute: number): number {
    const { sinceMs, stepMs } = this.#grouping;
    return Math.floor((minute * MINUTE_MS - sinceMs) / stepMs);
  }

  /** Gives the counts of a step away, and begins again. */
  #tell(): void {
    const startMs = this.#grouping.sinceMs + this.#step * this.#grouping.stepMs;
    let [total, degraded] = [0, 0];
    each(this.#shapes, (shape, count) => {
      total += count;
      degraded += this.#degraded[shape] === 1 ? count : 0;
    });
    if (total > 0) this.#tally.addStep(startMs, total, degraded);
    each(this.#latencies, (bucket, count) => this.#tally.addLatency(startMs, bucket, count));
    const first = this.#first;
    if (first !== undefined)
      each(toClassCounts(first, first.source === 'shape' ? this.#shapes : this.#firsts), (one, count) => {
        for (const value of first.values[one] ?? []) this.#tally.addValue(startMs, value, count);
      });
    this.#shapes.fill(0);
    this.#latencies.fill(0);
    this.#firsts.fill(0);
  }

  /** Most chunks lie within one step. */
  #bySteps(chunk: EntryChunk, selection: Selection): Iterable<readonly [number, Selection]> {
    const first = this.#stepOf(chunk.firstMinute);
    if (first === this.#stepOf(chunk.lastMinute)) return [[first, selection]];
    const minutes = chunk.column('minute');
    const steps = new Map<number, number[]>();
    for (const place of selection) {
      const step = this.#stepOf(chunk.firstMinute + (minutes[place] as number));
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
  readonly #width: number;
  /** By number, where both keys are about one column. */
  readonly #numbers: Uint32Array | null;
  readonly #dense: Uint32Array | null;
  readonly #sparse = new Map<number, number>();

  constructor(first: EntryClasses, second: EntryClasses) {
    this.#first = first;
    this.#second = second;
    this.#numbers = first.source === second.source ? new Uint32Array(first.classOf.length) : null;
    this.#width = second.values.length;
    const size = first.values.length * this.#width;
    this.#dense = this.#numbers === null && size <= DENSE_MAX ? new Uint32Array(size) : null;
  }

  add(chunk: EntryChunk, selection: Selection): void {
    const firsts = this.#first.column(chunk);
    if (this.#numbers !== null) {
      raiseAll(this.#numbers, firsts, selection);
      return;
    }
    const seconds = this.#second.column(chunk);
    for (let at = 0; at < selection.length; at += 1) this.#raise(firsts, seconds, selection[at] as number);
  }

  #raise(firsts: Column, seconds: Column, place: number): void {
    const cell =
      (this.#first.classOf[firsts[place] as number] as number) * this.#width +
      (this.#second.classOf[seconds[place] as number] as number);
    if (this.#dense !== null) this.#dense[cell] = (this.#dense[cell] as number) + 1;
    else this.#sparse.set(cell, (this.#sparse.get(cell) ?? 0) + 1);
  }

  /** Adds all entries of a chunk, two of whose columns were read before. */
  addWhole(chunk: EntryChunk, firsts: Column, shapes: Column): void {
    if (this.#numbers !== null) {
      raiseWhole(this.#numbers, firsts);
      return;
    }
    const seconds = this.#second.source === 'shape' ? shapes : this.#second.column(chunk);
    if (this.#dense !== null) {
      raisePairs(this.#dense, [firsts, seconds], [this.#first.classOf, this.#second.classOf], this.#width);
      return;
    }
    for (let place = 0; place < firsts.length; place += 1) this.#raise(firsts, seconds, place);
  }

  tell(groups: SegmentTally): void {
    const [first, second] = [this.#first, this.#second];
    const add = (firstClass: number, secondClass: number, count: number) => {
      for (const value of first.values[firstClass] ?? [])
        for (const other of second.values[secondClass] ?? []) groups.addPair(value, other, count);
    };
    const addCell = (cell: number, count: number) =>
      add(Math.floor(cell / this.#width), cell % this.#width, count);
    if (this.#numbers !== null)
      each(this.#numbers, (number, count) => {
        const cell = (first.classOf[number] as number) * this.#width + (second.classOf[number] as number);
        this.#sparse.set(cell, (this.#sparse.get(cell) ?? 0) + count);
      });
    if (this.#dense !== null) each(this.#dense, addCell);
    for (const [cell, count] of this.#sparse) addCell(cell, count);
  }
}

/** Counts by the numbers of a column as counts by class: thousands of networks are of a few countries. */
function toClassCounts({ classOf, values }: EntryClasses, counts: Uint32Array): Uint32Array {
  const classes = new Uint32Array(values.length);
  each(counts, (number, count) => {
    const one = classOf[number] as number;
    classes[one] = (classes[one] as number) + count;
  });
  return classes;
}

function raiseAll(counts: Uint32Array, column: Column, selection: Selection): void {
  for (let at = 0; at < selection.length; at += 1) {
    const number = column[selection[at] as number] as number;
    counts[number] = (counts[number] as number) + 1;
  }
}

function raiseWhole(counts: Uint32Array, column: Column): void {
  for (let place = 0; place < column.length; place += 1) {
    const number = column[place] as number;
    counts[number] = (counts[number] as number) + 1;
  }
}

/** Raises the cell of each entry, in the row of its first class and the column of its second. */
function raisePairs(
  cells: Uint32Array,
  [firsts, seconds]: readonly [Column, Column],
  [classOfFirst, classOfSecond]: readonly [Uint32Array, Uint32Array],
  width: number,
): void {
  for (let place = 0; place < firsts.length; place += 1) {
    const row = classOfFirst[firsts[place] as number] as number;
    const cell = row * width + (classOfSecond[seconds[place] as number] as number);
    cells[cell] = (cells[cell] as number) + 1;
  }
}

/** Calls back for each count above 0. */
function each(counts: Uint32Array, tell: (number: number, count: number) => void): void {
  for (let number = 0; number < counts.length; number += 1) {
    const count = counts[number] as number;
    if (count > 0) tell(number, count);
  }
}
