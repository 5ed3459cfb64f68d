import type { OutcomeLabel } from '../../../domain/decision-log/outcome-label.ts';
import { matchesFacts, type RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import { matchesPlace, NO_LABEL, type RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import type { RecordPlace } from '../../../domain/decision-log/record-place.ts';
import type { Column, ColumnName } from './column-chunk.ts';
import { type EntryChunk, MINUTE_MS } from './segment-columns.ts';
import { GAP_SHAPE } from './segment-file.ts';

/** What entries of one segment hold in common, by the numbers that stand for it. */
export interface SegmentDictionary {
  shapes(): ReadonlyMap<number, RecordFacts>;
  places(): ReadonlyMap<number, RecordPlace>;
  actions(): ReadonlyMap<number, string>;
  /** The labels in force of labelled decisions, by the number of the entry. */
  labelsInForce(): ReadonlyMap<number, OutcomeLabel['label']>;
}

/** The number of actions that have none of their own, since there were too many. */
export const OTHER_ACTION = 1;

interface MatchOptions {
  /**
   * For a search that reads what it finds: takes also what only the record can tell, which are actions
   * without a number, and gaps where the filter includes them.
   */
  readonly takesOthers: boolean;
}

/** The entries of a segment that match a filter, but for what only their records and subjects say. */
export class EntryMatches {
  /** By number, 1 where it matches; null where all do. */
  readonly #shapes: Uint8Array;
  readonly #places: Uint8Array | null;
  readonly #actions: Uint8Array | null;
  readonly #label: ((seq: number) => boolean) | null;
  readonly #takesGaps: boolean;
  readonly #sinceMinute: number;
  readonly #untilMinute: number;

  constructor(dictionary: SegmentDictionary, filter: RecordFilter, { takesOthers }: MatchOptions) {
    const { action, label, country, asn } = filter;
    this.#shapes = toTable(dictionary.shapes(), (facts) => matchesFacts(facts, filter));
    this.#takesGaps = takesOthers && filter.includesGaps === true;
    const isPlaced = country !== undefined || asn !== undefined;
    this.#places = isPlaced ? toTable(dictionary.places(), (place) => matchesPlace(place, filter)) : null;
    this.#actions = action === undefined ? null : toTable(dictionary.actions(), (name) => name === action);
    if (this.#actions !== null && takesOthers) this.#actions[OTHER_ACTION] = 1;
    this.#label = label === undefined ? null : toLabelTest(dictionary.labelsInForce(), label);
    this.#sinceMinute = filter.since === undefined ? 0 : Math.floor(Date.parse(filter.since) / MINUTE_MS);
    this.#untilMinute =
      filter.until === undefined ? Number.MAX_SAFE_INTEGER : Math.ceil(Date.parse(filter.until) / MINUTE_MS);
  }

  /** False where no entry of the chunk is of these minutes. */
  touches({ firstMinute, lastMinute }: EntryChunk): boolean {
    // A gap that began before may last until then.
    return this.#takesGaps || (lastMinute >= this.#sinceMinute && firstMinute < this.#untilMinute);
  }

  /** Tells of each entry of a chunk by its place whether it matches, to the minute. */
  of(chunk: EntryChunk): (place: number) => boolean {
    const { firstMinute, lastMinute } = chunk;
    const isWithin = firstMinute >= this.#sinceMinute && lastMinute < this.#untilMinute;
    const [since, until] = [this.#sinceMinute - firstMinute, this.#untilMinute - firstMinute];
    const read = (name: ColumnName, table: Uint8Array | null): Column | null =>
      table === null ? null : chunk.column(name);
    const shapes = chunk.column('shape');
    const places = read('place', this.#places);
    const actions = read('action', this.#actions);
    const minutes = isWithin ? null : chunk.column('minute');
    const [okShape, okPlace, okAction, okLabel] = [this.#shapes, this.#places, this.#actions, this.#label];
    const takesGaps = this.#takesGaps;
    // Typed arrays give undefined, which is no 1, for what is not in them.
    return (place) => {
      const shape = shapes[place] as number;
      if (shape === GAP_SHAPE) return takesGaps;
      return (
        okShape[shape] === 1 &&
        (okPlace === null || okPlace[(places as Column)[place] as number] === 1) &&
        (okAction === null || okAction[(actions as Column)[place] as number] === 1) &&
        (minutes === null || isBetween(minutes[place] as number, since, until)) &&
        (okLabel === null || okLabel(chunk.seqAt(place)))
      );
    };
  }
}

function isBetween(minute: number, since: number, until: number): boolean {
  return minute >= since && minute < until;
}

function toTable<Value>(items: ReadonlyMap<number, Value>, accepts: (item: Value) => boolean): Uint8Array {
  const table = new Uint8Array(greatestOf(items) + 1);
  for (const [number, item] of items) if (accepts(item)) table[number] = 1;
  return table;
}

/** The greatest number of these, and no less than that of other actions. */
export function greatestOf(items: ReadonlyMap<number, unknown>): number {
  let greatest = OTHER_ACTION;
  for (const number of items.keys()) if (number > greatest) greatest = number;
  return greatest;
}

function toLabelTest(
  labels: ReadonlyMap<number, OutcomeLabel['label']>,
  label: NonNullable<RecordFilter['label']>,
): (seq: number) => boolean {
  return label === NO_LABEL ? (seq) => !labels.has(seq) : (seq) => labels.get(seq) === label;
}
