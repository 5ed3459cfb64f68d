import type { RecordPlace } from '../../../domain/decision-log/record-place.ts';
import type { ColumnName } from './column-chunk.ts';
import type { SummaryFile } from './summary-file.ts';
import { KEY_BYTES } from './text-numbers.ts';

/** What a place is told apart by. */
export type PlacePart = keyof RecordPlace;

/** One part of all places of a segment: by the number of the place the place of its value in a list. */
export interface PlaceColumn {
  readonly values: readonly (string | number | null)[];
  readonly column: PackedColumn;
}

type PackedColumn = Uint8Array | Uint16Array | Uint32Array;

/** Decisions of one hour, counted by name. */
export type HourSums = readonly [
  startMs: number,
  counts: readonly (readonly [name: number, count: number])[],
];

/** The counts of a segment by hours, without those of labels. */
export interface SegmentSums {
  readonly names: readonly string[];
  readonly hours: readonly HourSums[];
}

/** How far a summary goes. */
export interface SummaryExtent {
  /** The number of the last entry. */
  readonly last: number;
  /** The greatest number of a place. */
  readonly places: number;
  /** How many shapes have their keys in it. */
  readonly shapes: number;
}

/**
 * What questions need of a segment that is over, in few pieces, which are read in a fraction of the time: the columns
 * of all its entries, its places by their parts, and its counts by hours. It is made from the segment, which says the
 * same; labels are not in it.
 */
export class SegmentSummary {
  readonly #file: SummaryFile;
  readonly #extent: SummaryExtent;

  private constructor(file: SummaryFile, extent: SummaryExtent) {
    this.#file = file;
    this.#extent = extent;
  }

  /** Null where it cannot be read. */
  static of(file: SummaryFile): SegmentSummary | null {
    const extent = readJson<SummaryExtent>(file, 'extent');
    return extent === null ? null : new SegmentSummary(file, extent);
  }

  get last(): number {
    return this.#extent.last;
  }

  get places(): number {
    return this.#extent.places;
  }

  /** The column of all entries up to the last, in their order; null where it cannot be read. */
  column(name: ColumnName): PackedColumn | null {
    return this.#packed(name, this.#extent.last);
  }

  /** The keys of shapes from 1 on, one after the other; null where they cannot be read. */
  shapeKeys(): Buffer | null {
    const keys = this.#file.read('shape_keys');
    return keys !== null && keys.length > 0 && keys.length === this.#extent.shapes * KEY_BYTES ? keys : null;
  }

  placeColumn(part: PlacePart): PlaceColumn | null {
    const column = this.#packed(part, this.#extent.places + 1);
    const values = readJson<PlaceColumn['values']>(this.#file, `${part}_values`);
    return column === null || values === null ? null : { values, column };
  }

  sums(): SegmentSums | null {
    return readJson(this.#file, 'sums');
  }

  #packed(name: string, count: number): PackedColumn | null {
    const bytes = this.#file.read(name);
    if (bytes === null || count === 0) return null;
    const { buffer, byteOffset } = bytes;
    if (bytes.length === count) return new Uint8Array(buffer, byteOffset, count);
    if (bytes.length === 2 * count) return new Uint16Array(buffer, byteOffset, count);
    return bytes.length === 4 * count ? new Uint32Array(buffer, byteOffset, count) : null;
  }
}

/** What was written by `toSummary`; null where it cannot be read. */
function readJson<Value>(file: SummaryFile, name: string): Value | null {
  const bytes = file.read(name);
  return bytes === null ? null : (JSON.parse(bytes.toString()) as Value);
}
