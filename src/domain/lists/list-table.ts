import { EntryRows } from './entry-rows.ts';
import { ListCounts } from './list-counts.ts';
import { entryIdOf, isOver, type ListEntry } from './list-entry.ts';
import { LIST_PARTS, type ListPart } from './list-part.ts';
import { RowIndex } from './row-index.ts';
import {
  type AddressWords,
  mixWords,
  networkWords,
  spellWords,
  valueWords,
  type Words,
} from './value-words.ts';

/** An entry that a value was found in. */
export interface ListHit {
  readonly list: string;
  readonly part: ListPart;
  readonly entryId: string;
}

/** A step of a walk over the rows. */
interface ListPage {
  readonly entries: readonly ListEntry[];
  /** Where the next step begins; null where nothing is left. */
  readonly next: number | null;
}

/** What a walk looks at. */
interface PageOptions {
  readonly from: number;
  readonly limit: number;
  readonly isWanted: (list: string, part: ListPart) => boolean;
}

const NO_HITS: readonly ListHit[] = [];
/** Rows that one step looks at: a millisecond. */
const ROWS_MAX = 50_000;

/**
 * The entries of all lists, as one process knows them: a million of them with short notes in 80 to 95 MB, and
 * a look-up takes well below a microsecond. Of two entries about one value of a list the later one counts, in
 * whatever order they come.
 */
export class ListTable {
  readonly #rows = new EntryRows();
  readonly #index = new RowIndex((row) => mixWords(this.#rows.wordsOf(row)));
  readonly #lists: string[] = [];
  /** The other hashes of entries that cannot be told by their rows: one of them has an entry of its own. */
  readonly #others = new Map<number, NonNullable<ListEntry['others']>>();
  readonly #counts: ListCounts;

  /** `keyIds` are those under which identifiers are looked for. */
  constructor(keyIds: ReadonlySet<string>) {
    this.#counts = new ListCounts(keyIds);
  }

  /** How many entries are on lists, expired ones until they are swept. */
  get size(): number {
    return this.#counts.total();
  }

  /** How many removed entries are remembered. */
  get removed(): number {
    return this.#counts.removed();
  }

  /** The lists that have, or had, entries. */
  lists(): readonly string[] {
    return this.#lists;
  }

  /** How many entries a list has of a part, or of all. */
  count(list: string, part?: ListPart): number {
    return this.#counts.of(list, part);
  }

  /** How many of those no identifier can match, since their hash key is not configured. */
  unmatched(list: string, part: ListPart): number {
    return this.#counts.unmatched(list, part);
  }

  /** Takes an entry, or its removal, unless a later one is known. False where nothing changed. */
  put(entry: ListEntry): boolean {
    const words = valueWords(entry.part, entry.value);
    if (words === null) return false;
    const row = this.#rowOf(entry.list, entry.part, words);
    const known = row === null ? null : this.#read(row);
    const main = row === null ? null : this.#rows.mainOf(row);
    if (row !== null && known !== null && main === null) {
      if (known.addedAtMs >= entry.addedAtMs) return false;
      this.#counts.remove(known);
      this.#rows.update(row, entry);
      this.#setOthers(row, entry);
    } else {
      if (row !== null && known !== null && main !== null) {
        // One that was removed has no say in what is put under another of its hashes, even a moment before.
        if (!known.isRemoved && known.addedAtMs >= entry.addedAtMs) return false;
        this.#detach(row, main);
      }
      const added = this.#rows.add(entry, this.#numberOf(entry.list), words);
      this.#index.add(added);
      this.#setOthers(added, entry);
    }
    this.#counts.add(entry);
    return true;
  }

  /** The entry of a value, also where it has expired or was removed. */
  get(list: string, part: ListPart, value: string): ListEntry | null {
    const words = valueWords(part, value);
    const row = words === null ? null : this.#rowOf(list, part, words);
    return row === null ? null : this.#read(this.#rows.mainOf(row) ?? row);
  }

  /** The entries in force of a value. */
  find(part: ListPart, words: Words, nowMs: number): readonly ListHit[] {
    const key = mixWords(words);
    const place = LIST_PARTS.indexOf(part);
    let hits: ListHit[] | null = null;
    for (let step = 0, row = this.#index.at(key, 0); row >= 0; step += 1, row = this.#index.at(key, step)) {
      if (!this.#rows.holds(row, place, words) || !this.#rows.isInForce(row, nowMs)) continue;
      hits ??= [];
      hits.push(this.#toHit(this.#rows.mainOf(row) ?? row));
    }
    return hits ?? NO_HITS;
  }

  /** The entries in force of the networks that an address is in. */
  findNetworks(address: AddressWords, nowMs: number): readonly ListHit[] {
    let hits = NO_HITS;
    for (const prefix of this.#counts.prefixes(address.family)) {
      const found = this.find('ip', networkWords(address, prefix), nowMs);
      if (found.length > 0) hits = [...hits, ...found];
    }
    return hits;
  }

  /** Entries in the order of the rows, which never move, those that are not in force included. */
  page({ from, limit, isWanted }: PageOptions): ListPage {
    const entries: ListEntry[] = [];
    const end = Math.min(this.#rows.length, from + ROWS_MAX);
    let row = from;
    for (; row < end && entries.length < limit; row += 1) {
      if (this.#rows.isFree(row) || this.#rows.mainOf(row) !== null) continue;
      if (isWanted(this.#lists[this.#rows.listOf(row)] ?? '', this.#rows.partOf(row)))
        entries.push(this.#read(row));
    }
    return { entries, next: row < this.#rows.length ? row : null };
  }

  /** Drops what nobody needs any more among the next rows; see isOver. */
  sweep(from: number, nowMs: number, removedKeptMs?: number): ListPage {
    const page = this.page({ from, limit: ROWS_MAX, isWanted: () => true });
    const entries = page.entries.filter((entry) => isOver(entry, nowMs, removedKeptMs));
    for (const entry of entries) this.#drop(entry);
    return { entries, next: page.next };
  }

  #drop(entry: ListEntry): void {
    // It was read from its row.
    const row = this.#rowOf(entry.list, entry.part, valueWords(entry.part, entry.value) as Words) as number;
    this.#setOthers(row, { ...entry, others: null });
    this.#index.remove(row);
    this.#rows.free(row);
    this.#counts.remove(entry);
  }

  #rowOf(list: string, part: ListPart, words: Words): number | null {
    const number = this.#lists.indexOf(list);
    const place = LIST_PARTS.indexOf(part);
    const key = mixWords(words);
    for (let step = 0, row = this.#index.at(key, 0); row >= 0; step += 1, row = this.#index.at(key, step))
      if (this.#rows.holds(row, place, words) && this.#rows.listOf(row) === number) return row;
    return null;
  }

  #numberOf(list: string): number {
    const known = this.#lists.indexOf(list);
    return known >= 0 ? known : this.#lists.push(list) - 1;
  }

  /** Rows of other hashes are found like that of the value, and lead to it. */
  #setOthers(row: number, entry: ListEntry): void {
    for (const other of this.#rows.othersOf(row)) this.#separate(other);
    this.#others.delete(row);
    if (entry.others === null) return;
    const list = this.#numberOf(entry.list);
    const others = Object.entries(entry.others);
    if (others.length === 0) this.#others.set(row, entry.others);
    for (const [keyId, value] of others) {
      const words = valueWords(entry.part, value);
      if (words === null || this.#rowOf(entry.list, entry.part, words) !== null) {
        this.#others.set(row, entry.others);
        continue;
      }
      const other = this.#rows.add({ ...entry, keyId, note: null }, list, words);
      this.#index.add(other);
      this.#rows.join(other, row);
    }
  }

  #separate(other: number): void {
    this.#index.remove(other);
    this.#rows.separate(other);
    this.#rows.free(other);
  }

  /** Frees the row of another hash, which gets an entry of its own. */
  #detach(row: number, main: number): void {
    const others = this.#othersOf(main);
    if (others !== null) this.#others.set(main, others);
    this.#separate(row);
  }

  #othersOf(row: number): ListEntry['others'] {
    const kept = this.#others.get(row);
    if (kept !== undefined) return kept;
    const rows = this.#rows.othersOf(row);
    if (rows.length === 0) return null;
    const named = rows.map((other) => {
      const { keyId, part } = this.#rows.read(other);
      return [keyId ?? '', spellWords(part, this.#rows.wordsOf(other))] as const;
    });
    return Object.fromEntries(named);
  }

  #read(row: number): ListEntry {
    const rest = this.#rows.read(row);
    return {
      ...rest,
      list: this.#lists[this.#rows.listOf(row)] ?? '',
      value: spellWords(rest.part, this.#rows.wordsOf(row)),
      others: this.#othersOf(row),
    };
  }

  #toHit(row: number): ListHit {
    const part = this.#rows.partOf(row);
    const value = spellWords(part, this.#rows.wordsOf(row));
    const list = this.#lists[this.#rows.listOf(row)] ?? '';
    return { list, part, entryId: entryIdOf({ part, value }) };
  }
}
