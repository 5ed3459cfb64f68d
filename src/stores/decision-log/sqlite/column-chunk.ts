/**
 * One value for each of some adjacent entries of a segment: `shape`, `place` and `action` by their numbers,
 * `minute` after the first minute of the chunk, `latency` by its bucket.
 */
export const COLUMNS = { shape: 0, place: 1, action: 2, minute: 3, latency: 4 } as const;

/** The name of a column. */
export type ColumnName = keyof typeof COLUMNS;

/** The values of a column: of one width, since loops over several take twice as long. */
export type Column = Uint32Array;

/** Entries of one chunk: a column of them is read in some microseconds. */
export const CHUNK_ENTRIES = 4_096;

/** Entries whose columns are read together, in the order of their numbers. */
export interface EntryChunk {
  readonly count: number;
  /** True where the numbers of its entries follow each other. */
  readonly isContiguous: boolean;
  /** The number of an entry by its place in the chunk. */
  seqAt(place: number): number;
  readonly first: number;
  readonly last: number;
  /** Whole minutes since 1970, of the earliest and of the latest entry; `minute` counts from the first. */
  readonly firstMinute: number;
  readonly lastMinute: number;
  /** May be overwritten once the next chunk is asked for the same column. */
  column(name: ColumnName): Column;
}

const MAX_OF_BYTE = 255;
const MAX_OF_TWO = 65_535;

/** Packs values, whole numbers of 32 bits at most, into as few bytes as the greatest of them needs. */
export function packColumn(values: readonly number[] | Column): Uint8Array {
  let max = 0;
  for (const value of values) if (value > max) max = value;
  if (max <= MAX_OF_BYTE) return Uint8Array.from(values);
  const packed = max <= MAX_OF_TWO ? Uint16Array.from(values) : Uint32Array.from(values);
  return new Uint8Array(packed.buffer);
}

/** The values that were packed, `count` of them. Throws RangeError for a packed column of another length. */
export function unpackColumn(packed: Uint8Array, count: number): Column {
  const width = packed.length / count;
  // A view of two or four bytes begins at a multiple of them.
  const aligned = packed.byteOffset % 4 === 0 ? packed : packed.slice();
  if (width === 1) return new Uint32Array(aligned);
  if (width === 2) return new Uint32Array(new Uint16Array(aligned.buffer, aligned.byteOffset, count));
  if (width === 4) return new Uint32Array(aligned.buffer, aligned.byteOffset, count);
  throw new RangeError(`a column of ${packed.length} bytes for ${count} entries`);
}
