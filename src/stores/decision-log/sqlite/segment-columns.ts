import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  CHUNK_ENTRIES,
  COLUMNS,
  type Column,
  type ColumnName,
  type EntryChunk,
  packColumn,
  unpackColumn,
} from './column-chunk.ts';
import { SketchWriter } from './segment-sketches.ts';
import type { SegmentSummary } from './segment-summary.ts';
import { WholeColumns } from './whole-columns.ts';

/** What a chunk is made of. */
interface EntryFacts {
  readonly seq: number;
  readonly atMs: number;
  readonly shape: number;
  readonly place: number;
  readonly action: number;
  readonly latency: number;
}

/** Times stand in columns to the minute. */
export const MINUTE_MS = 60_000;
const ROWS = 'SELECT seq, at, shape, place, action, latency FROM entries WHERE seq > ? ORDER BY seq LIMIT ?';

/** Writes chunks of the entries of one segment, inside of the transaction that appends them. */
export class ColumnWriter {
  readonly #rows: StatementSync;
  readonly #chunk: StatementSync;
  readonly #column: StatementSync;
  readonly #sketches: SketchWriter;
  #last: number;

  constructor(db: DatabaseSync) {
    this.#rows = db.prepare(ROWS);
    this.#chunk = db.prepare('INSERT INTO chunks (first, last, min_at, max_at) VALUES (?, ?, ?, ?)');
    this.#column = db.prepare('INSERT INTO columns (name, first, data) VALUES (?, ?, ?)');
    this.#sketches = new SketchWriter(db);
    this.#last = lastOf(db.prepare('SELECT max(last) AS last FROM chunks'));
  }

  /** Writes what fills a chunk, where the entries up to a number do. */
  write(lastSeq: number): void {
    while (lastSeq - this.#last >= CHUNK_ENTRIES) this.#writeOne();
  }

  /** Writes a chunk of the entries that fill none, for a segment to which no more are appended. */
  writeRest(lastSeq: number): void {
    this.write(lastSeq);
    if (lastSeq > this.#last) this.#writeOne();
  }

  #writeOne(): void {
    const entries = this.#rows.all(this.#last, CHUNK_ENTRIES).map(toFacts);
    const chunk = new RowChunk(entries);
    this.#chunk.run(chunk.first, chunk.last, chunk.firstMinute * MINUTE_MS, chunk.lastMinute * MINUTE_MS);
    for (const name of Object.keys(COLUMNS) as ColumnName[])
      this.#column.run(COLUMNS[name], chunk.first, packColumn(chunk.values(name)));
    this.#sketches.add(chunk.first, chunk.last);
    this.#last = chunk.last;
  }
}

/** Reads the entries of one segment by columns. */
export class ColumnReader {
  readonly #db: DatabaseSync;
  #column: StatementSync | null = null;
  #chunks: StatementSync | null = null;
  #rows: StatementSync | null = null;
  #row: StatementSync | null = null;
  readonly #known: StoredChunk[] = [];
  readonly #summary: () => SegmentSummary | null;

  /** `summary` gives that of the segment, as soon as there is one. */
  constructor(db: DatabaseSync, summary: () => SegmentSummary | null = () => null) {
    this.#db = db;
    this.#summary = summary;
  }

  /** All entries, oldest first; the last ones stand in no chunk yet, and are read row by row. */
  *chunks(): Generator<EntryChunk> {
    this.#readChunks();
    const whole = new WholeColumns(this.#summary());
    for (const chunk of this.#known) yield whole.chunkOf(chunk);
    yield* this.#rest();
  }

  /** The same, newest first. */
  *chunksBack(): Generator<EntryChunk> {
    this.#readChunks();
    yield* [...this.#rest()].reverse();
    const whole = new WholeColumns(this.#summary());
    for (const chunk of this.#known.toReversed()) yield whole.chunkOf(chunk);
  }

  /** Some entries, in the order of their numbers. */
  chunksOf(seqs: readonly number[]): readonly EntryChunk[] {
    this.#row ??= this.#db.prepare(
      'SELECT seq, at, shape, place, action, latency FROM entries WHERE seq = ?',
    );
    const rows = seqs.toSorted((left, right) => left - right).map((seq) => this.#row?.get(seq));
    const entries = rows.filter((row) => row !== undefined).map(toFacts);
    return entries.length === 0 ? [] : [new RowChunk(entries)];
  }

  /** The number of the last entry that stands in a chunk. */
  lastInChunks(): number {
    this.#readChunks();
    return this.#known.at(-1)?.last ?? 0;
  }

  /** The minutes of the entries that stand in chunks, Unix milliseconds; null where none does. */
  span(): { readonly firstMs: number; readonly untilMs: number } | null {
    this.#readChunks();
    if (this.#known.length === 0) return null;
    let [first, last] = [Number.POSITIVE_INFINITY, 0];
    for (const { firstMinute, lastMinute } of this.#known) {
      first = Math.min(first, firstMinute);
      last = Math.max(last, lastMinute);
    }
    return { firstMs: first * MINUTE_MS, untilMs: (last + 1) * MINUTE_MS };
  }

  #readChunks(): void {
    this.#chunks ??= this.#db.prepare(
      'SELECT first, last, min_at, max_at FROM chunks WHERE first > ? ORDER BY first',
    );
    for (const row of this.#chunks.all(this.#known.at(-1)?.last ?? 0))
      this.#known.push(new StoredChunk(row, (name, first) => this.#read(name, first)));
  }

  *#rest(): Generator<EntryChunk> {
    this.#rows ??= this.#db.prepare(ROWS);
    let last = this.#known.at(-1)?.last ?? 0;
    for (;;) {
      const entries = this.#rows.all(last, CHUNK_ENTRIES).map(toFacts);
      if (entries.length > 0) yield new RowChunk(entries);
      if (entries.length < CHUNK_ENTRIES) return;
      last = entries.at(-1)?.seq ?? last;
    }
  }

  #read(name: ColumnName, first: number): Uint8Array {
    this.#column ??= this.#db.prepare('SELECT data FROM columns WHERE name = ? AND first = ?');
    const data = this.#column.get(COLUMNS[name], first)?.['data'];
    if (data instanceof Uint8Array) return data;
    throw Object.assign(new Error('a chunk without its columns'), { code: 'DAMAGED' });
  }
}

class StoredChunk implements EntryChunk {
  readonly isContiguous = true;
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly firstMinute: number;
  readonly lastMinute: number;
  readonly #read: (name: ColumnName, first: number) => Uint8Array;

  constructor(row: Readonly<Record<string, unknown>>, read: (name: ColumnName, first: number) => Uint8Array) {
    this.first = Number(row['first']);
    this.last = Number(row['last']);
    this.count = this.last - this.first + 1;
    this.firstMinute = Number(row['min_at']) / MINUTE_MS;
    this.lastMinute = Number(row['max_at']) / MINUTE_MS;
    this.#read = read;
  }

  seqAt(place: number): number {
    return this.first + place;
  }

  column(name: ColumnName): Column {
    return unpackColumn(this.#read(name, this.first), this.count);
  }
}

class RowChunk implements EntryChunk {
  readonly isContiguous = false;
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly firstMinute: number;
  readonly lastMinute: number;
  readonly #entries: readonly EntryFacts[];

  /** At least one entry. */
  constructor(entries: readonly EntryFacts[]) {
    this.#entries = entries;
    this.first = entries[0]?.seq ?? 0;
    this.last = entries.at(-1)?.seq ?? 0;
    this.count = entries.length;
    let [first, last] = [Number.POSITIVE_INFINITY, 0];
    for (const { atMs } of entries) {
      first = Math.min(first, atMs);
      last = Math.max(last, atMs);
    }
    this.firstMinute = Math.floor(first / MINUTE_MS);
    this.lastMinute = Math.floor(last / MINUTE_MS);
  }

  seqAt(place: number): number {
    return this.#entries[place]?.seq ?? 0;
  }

  column(name: ColumnName): Column {
    return Uint32Array.from(this.values(name));
  }

  values(name: ColumnName): number[] {
    if (name === 'minute')
      return this.#entries.map(({ atMs }) => Math.floor(atMs / MINUTE_MS) - this.firstMinute);
    return this.#entries.map((entry) => entry[name]);
  }
}

function toFacts(row: Readonly<Record<string, unknown>>): EntryFacts {
  return {
    seq: Number(row['seq']),
    atMs: Number(row['at']),
    shape: Number(row['shape']),
    place: Number(row['place']),
    action: Number(row['action']),
    latency: Number(row['latency']),
  };
}

function lastOf(statement: StatementSync): number {
  return Number(statement.get()?.['last'] ?? 0);
}
