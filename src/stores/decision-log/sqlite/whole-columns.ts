import { CHUNK_ENTRIES, type Column, type ColumnName, type EntryChunk } from './column-chunk.ts';
import type { SegmentSummary } from './segment-summary.ts';

/**
 * Columns of the chunks of one segment from its summary, each read once for a question: a chunk's own are read in many
 * more steps.
 */
export class WholeColumns {
  readonly #summary: SegmentSummary | null;
  readonly #columns = new Map<ColumnName, WholeColumn | null>();

  constructor(summary: SegmentSummary | null) {
    this.#summary = summary;
  }

  /** The chunk itself where the summary does not reach as far. */
  chunkOf(chunk: EntryChunk): EntryChunk {
    if (this.#summary === null || chunk.last > this.#summary.last) return chunk;
    return new SummarisedChunk(chunk, (name) => this.#part(name, chunk));
  }

  /** Null where the summary cannot be read. */
  #part(name: ColumnName, { first, last }: EntryChunk): Column | null {
    let whole = this.#columns.get(name);
    if (whole === undefined) {
      const packed = this.#summary?.column(name) ?? null;
      whole = packed === null ? null : { packed, part: new Uint32Array(CHUNK_ENTRIES), first: 0 };
      this.#columns.set(name, whole);
    }
    if (whole === null) return null;
    if (whole.first !== first) {
      whole.part.set(whole.packed.subarray(first - 1, last));
      whole.first = first;
    }
    return last - first + 1 === CHUNK_ENTRIES ? whole.part : whole.part.subarray(0, last - first + 1);
  }
}

interface WholeColumn {
  readonly packed: NonNullable<ReturnType<SegmentSummary['column']>>;
  /** That of the chunk that begins with an entry: one for all chunks, since thousands of them are asked for. */
  readonly part: Column;
  first: number;
}

class SummarisedChunk implements EntryChunk {
  readonly isContiguous = true;
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly firstMinute: number;
  readonly lastMinute: number;
  readonly #stored: EntryChunk;
  readonly #part: (name: ColumnName) => Column | null;

  constructor(stored: EntryChunk, part: (name: ColumnName) => Column | null) {
    this.first = stored.first;
    this.last = stored.last;
    this.count = stored.count;
    this.firstMinute = stored.firstMinute;
    this.lastMinute = stored.lastMinute;
    this.#stored = stored;
    this.#part = part;
  }

  seqAt(place: number): number {
    return this.first + place;
  }

  column(name: ColumnName): Column {
    return this.#part(name) ?? this.#stored.column(name);
  }
}
