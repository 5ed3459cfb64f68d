import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { toEntry } from './record-entry.ts';
import { openForReading, openForWriting } from './segment-file.ts';
import { setAside, syncFile } from './segment-files.ts';
import { type SegmentName, toFileName, toThinnedFileName } from './segment-name.ts';
import { SegmentReader } from './segment-reader.ts';
import { SegmentWriter } from './segment-writer.ts';

/** Ends the name of a file that is being written; no reader takes it for a segment. */
export const THINNING = '.thinning';
/** Labelled decisions that are written in one transaction: each may stand in blocks of its own, for a millisecond. */
const BATCH = 10;

const TAKE_LABELS = `INSERT OR REPLACE INTO labels SELECT * FROM whole.labels
  WHERE seq >= ? AND seq <= ? AND seq IN (SELECT seq FROM main.entries)`;

/**
 * Writes the labelled decisions of one segment to a file that takes its place, in short steps. Until the file is
 * whole the segment is as it was. Every method throws with a `code`.
 */
export class Thinning {
  readonly name: SegmentName;
  /** Of the file that is being written. */
  readonly path: string;
  readonly #directory: string;
  readonly #source: SegmentReader;
  readonly #writer: SegmentWriter;
  /** Both files. */
  readonly #db: DatabaseSync;
  readonly #takeLabels: StatementSync;
  #last = 0;
  #isOpen = true;

  constructor(directory: string, name: SegmentName) {
    this.name = name;
    this.#directory = directory;
    this.path = join(directory, toThinnedFileName(name) + THINNING);
    setAside(this.path);
    this.#source = new SegmentReader(openForReading(join(directory, toFileName(name))));
    this.#writer = new SegmentWriter(openForWriting(this.path, false));
    this.#writer.keep([]);
    this.#db = new DatabaseSync(this.path);
    // The file is on the disk before it counts.
    this.#db.exec('PRAGMA synchronous = NORMAL');
    this.#db.prepare('ATTACH ? AS whole').run(join(directory, toFileName(name)));
    this.#takeLabels = this.#db.prepare(TAKE_LABELS);
  }

  /** Whether a decision has been passed over, or taken. */
  hasPassed(name: SegmentName, seq: number): boolean {
    return name === this.name && seq <= this.#last;
  }

  /** Takes the labels of a decision once more, where it was taken. */
  takeLabel(seq: number): void {
    this.#takeLabels.run(seq, seq);
  }

  /** Goes on for about so long. True once the file has taken the place of the other. */
  step(budgetMs: number): boolean {
    const untilMs = performance.now() + budgetMs;
    do {
      const seqs = this.#source.labelledAbove(this.#last, BATCH);
      this.#writer.keep(seqs.flatMap((seq) => this.#read(seq)));
      this.#takeLabels.run(this.#last + 1, seqs.at(-1) ?? this.#last);
      this.#last = seqs.at(-1) ?? this.#last;
      if (seqs.length === 0) {
        this.#finish();
        return true;
      }
    } while (performance.now() < untilMs);
    return false;
  }

  /** Gives up, and leaves nothing behind. */
  abandon(): void {
    this.#close();
    setAside(this.path);
  }

  /** Nothing for a record that cannot be read: the others are not kept for its sake. */
  #read(seq: number) {
    try {
      return [[seq, toEntry(JSON.stringify(this.#source.recordOf(seq)))] as const];
    } catch (error) {
      if (isDamage(error)) return [];
      throw error;
    }
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#source.close();
    this.#db.close();
    this.#writer.close();
  }

  #finish(): void {
    this.#close();
    const before = join(this.#directory, toFileName(this.name));
    const db = new DatabaseSync(this.path);
    try {
      db.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;');
    } finally {
      db.close();
    }
    syncFile(this.path);
    renameSync(this.path, join(this.#directory, toThinnedFileName(this.name)));
    syncFile(this.#directory);
    setAside(before);
  }
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const PRIMARY_CODE = 0xff;
/** Codes of ours, of Node, and of unpacking, unless only the memory did not suffice. */
const DAMAGE = /^(?:DAMAGED|UNREADABLE|Z_|ZSTD_error_(?!memory_allocation)|ERR_)/;

/** True where a file, or a record in it, is damaged for good. One that a later version wrote is not. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const sqlite: unknown = Reflect.get(error, 'errcode');
  if (typeof sqlite === 'number') return [SQLITE_CORRUPT, SQLITE_NOTADB].includes(sqlite & PRIMARY_CODE);
  const code: unknown = Reflect.get(error, 'code');
  return error instanceof SyntaxError || (typeof code === 'string' && DAMAGE.test(code));
}
