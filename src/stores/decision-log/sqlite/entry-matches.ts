import type { DelayedLabel } from '../../../domain/decision-log/group-keys.ts';
import { type Label, OUTCOME_LABELS } from '../../../domain/decision-log/outcome-label.ts';
import { matchesFacts, type RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import { matchesPlace, NO_LABEL, type RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import { NOWHERE, type RecordPlace } from '../../../domain/decision-log/record-place.ts';
import { SUBJECT_PARTS } from '../../../domain/decision-log/subject-parts.ts';
import type { Column, ColumnName, EntryChunk } from './column-chunk.ts';
import { MINUTE_MS } from './segment-columns.ts';
import { GAP_SHAPE } from './segment-file.ts';
import type { PlaceColumn, PlacePart } from './segment-summary.ts';

/** What entries of one segment hold in common, by the numbers that stand for it. */
export interface SegmentDictionary {
  shapes(): ReadonlyMap<number, RecordFacts>;
  places(): ReadonlyMap<number, RecordPlace>;
  actions(): ReadonlyMap<number, string>;
  /** One part of all places, where it is at hand: thousands of them need no look one by one then. */
  placeColumn?(part: PlacePart): PlaceColumn | null;
  /** The labels in force of labelled decisions, by the number of the entry, which rises. */
  labelsInForce(): ReadonlyMap<number, Label>;
  /** The same with the time that each took. */
  delayedLabels(): ReadonlyMap<number, DelayedLabel>;
}

/** The number of actions that have none of their own, since there were too many. */
export const OTHER_ACTION = 1;
/** The number of decisions without a label; the labels follow in their order. */
const NO_LABEL_NUMBER = 0;

/** Places in a chunk, in their order. */
export type Selection = Uint32Array;

interface MatchOptions {
  /**
   * For a search that reads what it finds: takes also what only the record can tell, which are actions
   * without a number, and gaps where the filter includes them.
   */
  readonly takesOthers: boolean;
}

/** By the number of a value, 1 where it matches. */
type Table = Uint8Array;

/** The entries of a segment that match a filter, but for what only their records and subjects say. */
export class EntryMatches {
  readonly #tables: readonly (readonly [Exclude<ColumnName, 'shape'>, Table])[];
  readonly #shapes: Table;
  readonly #labels: readonly [LabelColumns, Table] | null;
  readonly #takesGaps: boolean;
  readonly #takesAllShapes: boolean;
  /** True where the segment has no value that a condition takes: none of its entries needs a look. */
  readonly #isHopeless: boolean;
  readonly #sinceMinute: number;
  readonly #untilMinute: number;

  constructor(dictionary: SegmentDictionary, filter: RecordFilter, { takesOthers }: MatchOptions) {
    const { action, label, country, asn, since, until } = filter;
    this.#takesGaps = takesOthers && filter.includesGaps === true;
    const shapes = dictionary.shapes();
    this.#shapes = asksForFacts(filter) ? toTable(shapes, toFactsMatch(filter)) : toTable(shapes, () => true);
    if (this.#takesGaps) this.#shapes[GAP_SHAPE] = 1;
    const tables: [Exclude<ColumnName, 'shape'>, Table][] = [];
    if (country !== undefined || asn !== undefined) tables.push(['place', toPlaceTable(dictionary, filter)]);
    if (action !== undefined) {
      const table = toTable(dictionary.actions(), (name) => name === action);
      if (takesOthers) table[OTHER_ACTION] = 1;
      tables.push(['action', table]);
    }
    this.#tables = tables;
    this.#takesAllShapes = this.#shapes.every((takes, shape) => takes === 1 || !shapes.has(shape));
    const asked = [this.#shapes, ...tables.map(([, table]) => table)];
    this.#isHopeless = !this.#takesGaps && asked.some((table) => !table.includes(1));
    this.#labels =
      label === undefined ? null : [new LabelColumns(numberLabels(dictionary)), toLabelTable(label)];
    this.#sinceMinute = since === undefined ? 0 : Math.floor(Date.parse(since) / MINUTE_MS);
    this.#untilMinute =
      until === undefined ? Number.MAX_SAFE_INTEGER : Math.ceil(Date.parse(until) / MINUTE_MS);
  }

  /** False where no entry of the chunk can match, or is of these minutes. */
  touches({ firstMinute, lastMinute }: EntryChunk): boolean {
    if (this.#isHopeless) return false;
    // A gap that began before may last until then.
    return this.#takesGaps || (lastMinute >= this.#sinceMinute && firstMinute < this.#untilMinute);
  }

  /** True where every decision of the chunk matches. */
  takesAll(chunk: EntryChunk): boolean {
    return (
      this.#takesAllShapes && this.#tables.length === 0 && this.#labels === null && this.#isWithin(chunk)
    );
  }

  /** The entries of a chunk that match, to the minute. Each column is looked through at once. */
  select(chunk: EntryChunk): Selection {
    // What is left of a gap is told by its record.
    const keep = this.#takesGaps ? chunk.column('shape') : null;
    // Where every shape fits, another column tells more.
    const shape = ['shape', this.#shapes] as const;
    const isShapeLast = keep === null && this.#takesAllShapes;
    const [first = shape, ...rest] = isShapeLast ? [...this.#tables, shape] : [shape, ...this.#tables];
    let found = selectAll(chunk.column(first[0]), first[1]);
    for (const [name, table] of rest) {
      if (found.length === 0) return found;
      found = narrow(found, chunk.column(name), table, keep);
    }
    if (this.#labels !== null && found.length > 0) {
      const [labels, table] = this.#labels;
      found = narrow(found, labels.of(chunk), table, keep);
    }
    return this.#isWithin(chunk) ? found : this.#narrowByTime(found, chunk, keep);
  }

  #isWithin({ firstMinute, lastMinute }: EntryChunk): boolean {
    return firstMinute >= this.#sinceMinute && lastMinute < this.#untilMinute;
  }

  #narrowByTime(found: Selection, chunk: EntryChunk, keep: Column | null): Selection {
    const minutes = chunk.column('minute');
    const [since, until] = [this.#sinceMinute - chunk.firstMinute, this.#untilMinute - chunk.firstMinute];
    let count = 0;
    for (const place of found) {
      const minute = minutes[place] as number;
      if ((minute >= since && minute < until) || keep?.[place] === GAP_SHAPE) {
        found[count] = place;
        count += 1;
      }
    }
    return found.subarray(0, count);
  }
}

/** The labels in force as numbers, by the number of the entry: those of OUTCOME_LABELS from 1 on. */
export function numberLabels(dictionary: SegmentDictionary): ReadonlyMap<number, number> {
  const labels = [...dictionary.labelsInForce()];
  return new Map(labels.map(([seq, label]) => [seq, 1 + OUTCOME_LABELS.indexOf(label)]));
}

/** Columns of the labels in force, which are given after an entry was written. */
export class LabelColumns {
  /** By the number of the entry, which rises. */
  readonly #labels: ReadonlyMap<number, number>;
  /** Rising. */
  readonly #seqs: readonly number[];

  constructor(labels: ReadonlyMap<number, number>) {
    this.#labels = labels;
    this.#seqs = [...this.#labels.keys()];
  }

  /** The number of each entry's label. */
  of(chunk: EntryChunk): Column {
    const column = new Uint32Array(chunk.count);
    if (chunk.isContiguous) {
      for (let at = firstFrom(this.#seqs, chunk.first); at < this.#seqs.length; at += 1) {
        const seq = this.#seqs[at] as number;
        if (seq > chunk.last) break;
        column[seq - chunk.first] = this.#numberOf(seq);
      }
      return column;
    }
    for (let place = 0; place < chunk.count; place += 1) column[place] = this.#numberOf(chunk.seqAt(place));
    return column;
  }

  #numberOf(seq: number): number {
    return this.#labels.get(seq) ?? NO_LABEL_NUMBER;
  }
}

/** The greatest number of these, and no less than that of other actions. */
export function greatestOf(items: ReadonlyMap<number, unknown>): number {
  let greatest = OTHER_ACTION;
  for (const number of items.keys()) if (number > greatest) greatest = number;
  return greatest;
}

function selectAll(column: Column, table: Table): Selection {
  const found = new Uint32Array(column.length);
  let count = 0;
  for (let place = 0; place < column.length; place += 1) {
    found[count] = place;
    // A number beyond the table came after it was made.
    count += table[column[place] as number] === 1 ? 1 : 0;
  }
  return found.subarray(0, count);
}

/** Keeps what matches, in place, and gaps where `keep` tells them. */
function narrow(found: Selection, column: Column, table: Table, keep: Column | null): Selection {
  let count = 0;
  for (let at = 0; at < found.length; at += 1) {
    const place = found[at] as number;
    if (table[column[place] as number] === 1 || keep?.[place] === GAP_SHAPE) {
      found[count] = place;
      count += 1;
    }
  }
  return found.subarray(0, count);
}

/** What a filter asks about that stands beside the facts. */
const BESIDE_FACTS: ReadonlySet<string> = new Set([
  ...SUBJECT_PARTS,
  'subject',
  'action',
  'label',
  'country',
  'asn',
  'since',
  'until',
  'includesGaps',
  'includesEvents',
] satisfies (keyof RecordFilter)[]);

/** Whether a filter is about facts: thousands of shapes need a look then. */
function asksForFacts(filter: RecordFilter): boolean {
  return Object.entries(filter).some(([name, value]) => value !== undefined && !BESIDE_FACTS.has(name));
}

const factsMatches = new WeakMap<RecordFilter, Map<RecordFacts, boolean>>();

/** Whether facts match a filter, found once for all segments of a question. */
function toFactsMatch(filter: RecordFilter): (facts: RecordFacts) => boolean {
  const known = factsMatches.get(filter) ?? new Map<RecordFacts, boolean>();
  factsMatches.set(filter, known);
  return (facts) => {
    let isMatch = known.get(facts);
    if (isMatch === undefined) {
      isMatch = matchesFacts(facts, filter);
      known.set(facts, isMatch);
    }
    return isMatch;
  };
}

function toTable<Value>(items: ReadonlyMap<number, Value>, accepts: (item: Value) => boolean): Table {
  const table = new Uint8Array(greatestOf(items) + 1);
  for (const [number, item] of items) if (accepts(item)) table[number] = 1;
  return table;
}

function toPlaceTable(dictionary: SegmentDictionary, filter: RecordFilter): Table {
  let table: Table | null = null;
  for (const part of ['country', 'asn'] as const) {
    if (filter[part] === undefined) continue;
    const found = dictionary.placeColumn?.(part) ?? null;
    if (found === null) return toTable(dictionary.places(), (place) => matchesPlace(place, filter));
    const { values, column } = found;
    const takes = values.map((value) =>
      matchesPlace({ ...NOWHERE, [part]: value }, { [part]: filter[part] }),
    );
    table ??= new Uint8Array(column.length).fill(1);
    for (let number = 0; number < column.length; number += 1)
      if (takes[column[number] as number] !== true) table[number] = 0;
  }
  // Stands for no place.
  table?.fill(0, 0, 1);
  return table ?? new Uint8Array(1);
}

function toLabelTable(label: NonNullable<RecordFilter['label']>): Table {
  const labels = [NO_LABEL, ...OUTCOME_LABELS];
  return Uint8Array.from(labels, (known) => (known === label ? 1 : 0));
}

/** The place of the first number that is not below another. */
function firstFrom(numbers: readonly number[], least: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
