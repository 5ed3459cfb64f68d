import type { ListEntry } from './list-entry.ts';
import { LIST_PARTS, type ListPart } from './list-part.ts';
import { NoteColumn } from './note-column.ts';
import type { Words } from './value-words.ts';

/** Rows of one chunk: chunks are added and never copied. */
const CHUNK_ROWS = 16_384;
const NEVER = Number.POSITIVE_INFINITY;

/** What many entries have in common: one object for all of them. */
interface Origin {
  readonly addedBy: string;
  readonly keyId: string | null;
}

interface Chunk {
  readonly words: Int32Array;
  /** The number of the list. */
  readonly list: Uint16Array;
  /** The place of the part among all parts; NO_PART for a row that is free. */
  readonly part: Uint8Array;
  readonly isRemoved: Uint8Array;
  readonly addedAtMs: Float64Array;
  readonly expiresAtMs: Float64Array;
  readonly notes: NoteColumn;
  /** The place of the origin among all of them. */
  readonly origin: Uint32Array;
  /** Of a row of another hash, one more than the row of the entry; 0 for the row of an entry. */
  readonly main: Int32Array;
  /** One more than the next row of another hash of the same entry; 0 for none. */
  readonly next: Int32Array;
}

const NO_PART = 255;

/**
 * Entries in columns of plain numbers: about 60 bytes each and its note, where an object with a hash takes
 * 400, and nothing that the collector has to look at. Rows have numbers from 0; what a row holds is told by its number.
 */
export class EntryRows {
  readonly #chunks: Chunk[] = [];
  readonly #free: number[] = [];
  readonly #origins: Origin[] = [];
  readonly #originPlaces = new Map<string, number>();
  #rows = 0;

  /** How many rows there are, free ones included. */
  get length(): number {
    return this.#rows;
  }

  /** Puts an entry and the words of one of its values in a row of its own. */
  add(entry: ListEntry, list: number, words: Words): number {
    const row = this.#free.pop() ?? this.#append();
    const chunk = this.#chunkOf(row);
    const at = row % CHUNK_ROWS;
    chunk.words.set(words, 4 * at);
    chunk.list[at] = list;
    chunk.part[at] = LIST_PARTS.indexOf(entry.part);
    chunk.main[at] = 0;
    chunk.next[at] = 0;
    this.#fill(chunk, at, entry);
    return row;
  }

  /** Overwrites all of a row but its list and its value. */
  update(row: number, entry: ListEntry): void {
    this.#fill(this.#chunkOf(row), row % CHUNK_ROWS, entry);
  }

  free(row: number): void {
    const chunk = this.#chunkOf(row);
    const at = row % CHUNK_ROWS;
    chunk.part[at] = NO_PART;
    chunk.notes.set(at, null);
    this.#free.push(row);
  }

  /** The row of the entry that this row has another hash of; null where it is the row of an entry. */
  mainOf(row: number): number | null {
    const main = this.#chunkOf(row).main[row % CHUNK_ROWS] ?? 0;
    return main === 0 ? null : main - 1;
  }

  /** The rows of the other hashes of an entry, in the order in which they were joined to it. */
  othersOf(row: number): readonly number[] {
    const others: number[] = [];
    for (let other = this.#nextOf(row); other >= 0; other = this.#nextOf(other)) others.push(other);
    return others;
  }

  /** Makes a row the last of the other hashes of an entry. */
  join(other: number, main: number): void {
    this.#setNext(this.othersOf(main).at(-1) ?? main, other);
    this.#chunkOf(other).main[other % CHUNK_ROWS] = main + 1;
  }

  /** Takes a row out of the other hashes of its entry. */
  separate(other: number): void {
    const main = this.mainOf(other) ?? other;
    const rows = [main, ...this.othersOf(main)];
    for (const row of rows) if (this.#nextOf(row) === other) this.#setNext(row, this.#nextOf(other));
    this.#setNext(other, -1);
    this.#chunkOf(other).main[other % CHUNK_ROWS] = 0;
  }

  /** -1 where there is none. */
  #nextOf(row: number): number {
    return (this.#chunkOf(row).next[row % CHUNK_ROWS] ?? 0) - 1;
  }

  #setNext(row: number, next: number): void {
    this.#chunkOf(row).next[row % CHUNK_ROWS] = next + 1;
  }

  isFree(row: number): boolean {
    return this.#chunkOf(row).part[row % CHUNK_ROWS] === NO_PART;
  }

  listOf(row: number): number {
    return this.#chunkOf(row).list[row % CHUNK_ROWS] ?? 0;
  }

  partOf(row: number): ListPart {
    return LIST_PARTS[this.#chunkOf(row).part[row % CHUNK_ROWS] ?? 0] as ListPart;
  }

  wordsOf(row: number): Words {
    const { words } = this.#chunkOf(row);
    const at = 4 * (row % CHUNK_ROWS);
    return [words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0];
  }

  /** True where the row holds this value of this part. */
  holds(row: number, part: number, [first, second, third, fourth]: Words): boolean {
    const chunk = this.#chunkOf(row);
    const { words } = chunk;
    const at = row % CHUNK_ROWS;
    return (
      chunk.part[at] === part &&
      words[4 * at] === first &&
      words[4 * at + 1] === second &&
      words[4 * at + 2] === third &&
      words[4 * at + 3] === fourth
    );
  }

  isInForce(row: number, nowMs: number): boolean {
    const chunk = this.#chunkOf(row);
    const at = row % CHUNK_ROWS;
    return chunk.isRemoved[at] === 0 && nowMs < (chunk.expiresAtMs[at] ?? 0);
  }

  /** What the row holds beside its list and its value. */
  read(row: number): Omit<ListEntry, 'list' | 'value' | 'others'> {
    const chunk = this.#chunkOf(row);
    const at = row % CHUNK_ROWS;
    const expiresAtMs = chunk.expiresAtMs[at] ?? NEVER;
    const origin = this.#origins[chunk.origin[at] ?? 0];
    return {
      part: this.partOf(row),
      keyId: origin?.keyId ?? null,
      addedAtMs: chunk.addedAtMs[at] ?? 0,
      addedBy: origin?.addedBy ?? '',
      expiresAtMs: expiresAtMs === NEVER ? null : expiresAtMs,
      note: chunk.notes.get(at),
      isRemoved: chunk.isRemoved[at] === 1,
    };
  }

  #fill(chunk: Chunk, at: number, entry: ListEntry): void {
    chunk.isRemoved[at] = entry.isRemoved ? 1 : 0;
    chunk.addedAtMs[at] = entry.addedAtMs;
    chunk.expiresAtMs[at] = entry.expiresAtMs ?? NEVER;
    chunk.notes.set(at, entry.note);
    chunk.origin[at] = this.#originOf(entry);
  }

  #originOf({ addedBy, keyId }: ListEntry): number {
    const name = `${addedBy} ${keyId}`;
    const known = this.#originPlaces.get(name);
    if (known !== undefined) return known;
    const place = this.#origins.push({ addedBy, keyId }) - 1;
    this.#originPlaces.set(name, place);
    return place;
  }

  #append(): number {
    if (this.#rows % CHUNK_ROWS === 0) this.#chunks.push(createChunk());
    this.#rows += 1;
    return this.#rows - 1;
  }

  #chunkOf(row: number): Chunk {
    return this.#chunks[Math.floor(row / CHUNK_ROWS)] as Chunk;
  }
}

function createChunk(): Chunk {
  return {
    words: new Int32Array(4 * CHUNK_ROWS),
    list: new Uint16Array(CHUNK_ROWS),
    part: new Uint8Array(CHUNK_ROWS).fill(NO_PART),
    isRemoved: new Uint8Array(CHUNK_ROWS),
    addedAtMs: new Float64Array(CHUNK_ROWS),
    expiresAtMs: new Float64Array(CHUNK_ROWS),
    notes: new NoteColumn(CHUNK_ROWS),
    origin: new Uint32Array(CHUNK_ROWS),
    main: new Int32Array(CHUNK_ROWS),
    next: new Int32Array(CHUNK_ROWS),
  };
}
