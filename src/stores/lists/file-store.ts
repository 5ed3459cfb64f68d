import { existsSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { ListStore } from '../../application/lists/list-store.ts';
import type { ListEntry } from '../../domain/lists/list-entry.ts';
import type { ListTable } from '../../domain/lists/list-table.ts';
import { afterKnown } from '../../domain/lists/next-entry.ts';
import { lockFile } from '../../platform/lock-file.ts';
import { ListFileError, readListFile, replaceListFile, toLine } from './list-file.ts';

/** What an operator wants to read of a file of lists in a log. Codes are those of the system (`ENOSPC`). */
export type ListFileEvent =
  | { readonly kind: 'repaired'; readonly cut_bytes: number }
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'recovered' };

interface FileListStoreOptions {
  readonly path: string;
  /** Empty: what the file holds is put in it. */
  readonly table: ListTable;
  readonly onEvent: (event: ListFileEvent) => void;
}

/** What one wish to keep entries waits for. */
interface Waiting {
  readonly entries: readonly ListEntry[];
  /** See ListStore.commitIfLater. */
  readonly isDated: boolean;
  readonly tell: (kept: readonly ListEntry[] | null) => void;
}

/** Entries of one line when the file is written anew. */
const LINE_ENTRIES = 500;
/** The file is written anew once it has so many times the entries that count, and a thousand more. */
const GROWTH_MAX = 2;
const GROWTH_MIN = 1_000;

/**
 * Keeps lists in a file that one process appends to: a change is kept once the disk has it, and changes of one
 * moment share a write. Rejects, with a sentence, where the file cannot be used.
 */
export async function openFileListStore(options: FileListStoreOptions): Promise<ListStore> {
  const store = new FileListStore(options);
  await store.open();
  return store;
}

class FileListStore implements ListStore {
  readonly table: ListTable;
  readonly #options: FileListStoreOptions;
  #lock: { close(): void } | null = null;
  /** Null where the file has to be written anew before anything is appended. */
  #file: FileHandle | null = null;
  /** Entries in the file, replaced ones included. */
  #written = 0;
  #waiting: Waiting[] = [];
  #work: Promise<void> | null = null;
  #isFailing = false;
  #isClosed = false;

  constructor(options: FileListStoreOptions) {
    this.#options = options;
    this.table = options.table;
  }

  async open(): Promise<void> {
    const { path, onEvent } = this.#options;
    try {
      this.#lock = lockFile(`${path}.lock`);
      if (existsSync(path)) {
        const { tornBytes } = await readListFile(path, (entry) => this.table.put(entry));
        if (tornBytes > 0) onEvent({ kind: 'repaired', cut_bytes: tornBytes });
      }
      await this.#writeAnew([]);
    } catch (error) {
      await this.close();
      throw new Error(`LISTS_FILE ${path}: ${whyUnusable(error)}`, { cause: error });
    }
  }

  commit(entries: readonly ListEntry[]): Promise<readonly ListEntry[] | null> {
    return this.#commit(entries, false);
  }

  commitIfLater(entries: readonly ListEntry[]): Promise<readonly ListEntry[] | null> {
    return this.#commit(entries, true);
  }

  /** They are left out when the file is written anew. */
  async drop(): Promise<void> {}

  knowledge(): 'current' {
    return 'current';
  }

  isTrusted(): boolean {
    return true;
  }

  async ready(): Promise<void> {}

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#work;
    await this.#file?.close();
    this.#file = null;
    this.#lock?.close();
    this.#lock = null;
  }

  #commit(entries: readonly ListEntry[], isDated: boolean): Promise<readonly ListEntry[] | null> {
    if (this.#isClosed) return Promise.resolve(null);
    return new Promise((tell) => {
      this.#waiting.push({ entries, isDated, tell });
      this.#work ??= this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      await this.#write(waiting);
    }
    this.#work = null;
  }

  async #write(waiting: readonly Waiting[]): Promise<void> {
    // Of several changes of one value in one write each comes after the one before.
    const times = new Map<string, number>();
    const batches = waiting.map(({ entries, isDated }) =>
      isDated
        ? entries.filter((entry) => this.#isLater(entry, times))
        : entries.map((entry) => this.#order(entry, times)),
    );
    try {
      await this.#append(batches);
    } catch (error) {
      await this.#fail(error);
      for (const { tell } of waiting) tell(null);
      return;
    }
    if (this.#isFailing) this.#options.onEvent({ kind: 'recovered' });
    this.#isFailing = false;
    for (const entries of batches) for (const entry of entries) this.table.put(entry);
    for (const [place, { tell }] of waiting.entries()) tell(batches[place] ?? []);
  }

  #order(entry: ListEntry, times: Map<string, number>): ListEntry {
    const name = nameOf(entry);
    const next = afterKnown(this.table, entry);
    const addedAtMs = Math.max(next.addedAtMs, (times.get(name) ?? 0) + 1);
    times.set(name, addedAtMs);
    return { ...next, addedAtMs };
  }

  #isLater(entry: ListEntry, times: Map<string, number>): boolean {
    const name = nameOf(entry);
    const known = this.table.get(entry.list, entry.part, entry.value)?.addedAtMs ?? -1;
    if (Math.max(known, times.get(name) ?? -1) >= entry.addedAtMs) return false;
    times.set(name, entry.addedAtMs);
    return true;
  }

  async #append(batches: readonly (readonly ListEntry[])[]): Promise<void> {
    const lines = batches.filter((entries) => entries.length > 0).map(toLine);
    if (this.#file === null || this.#written > GROWTH_MIN + GROWTH_MAX * this.table.size)
      return this.#writeAnew(lines);
    await this.#file.appendFile(lines.join(''));
    await this.#file.datasync();
    for (const entries of batches) this.#written += entries.length;
  }

  /** Writes what counts, and these lines, to a new file in the place of this one. */
  async #writeAnew(lines: readonly string[]): Promise<void> {
    await this.#file?.close();
    this.#file = null;
    this.#written = 0;
    this.#file = await replaceListFile(this.#options.path, this.#allLines(lines));
  }

  /** Nobody else can bring back what was removed: with the entry goes its removal. */
  *#allLines(lines: readonly string[]): Iterable<string> {
    for (let from: number | null = 0; from !== null; ) {
      const page = this.table.page({ from, limit: LINE_ENTRIES, isWanted: () => true });
      from = page.next;
      const entries = page.entries.filter(({ isRemoved }) => !isRemoved);
      this.#written += entries.length;
      if (entries.length > 0) yield toLine(entries);
    }
    yield* lines;
  }

  /** Part of a line may have been written: nothing is appended behind it. */
  async #fail(error: unknown): Promise<void> {
    if (!this.#isFailing) this.#options.onEvent({ kind: 'failed', code: codeOf(error) });
    this.#isFailing = true;
    const file = this.#file;
    this.#file = null;
    try {
      await file?.close();
    } catch {
      // The disk that failed to write fails to close too, which says nothing more.
    }
  }
}

function nameOf({ list, part, value }: ListEntry): string {
  return `${list} ${part} ${value}`;
}

function whyUnusable(error: unknown): string {
  if (error instanceof ListFileError) return `${error.message}; it is left as it is`;
  const code = codeOf(error);
  return code === 'ERR_SQLITE_ERROR' ? 'another process has it, or its folder cannot be written' : code;
}

function codeOf(error: unknown): string {
  return String((error instanceof Error && Reflect.get(error, 'code')) || 'ERROR');
}
