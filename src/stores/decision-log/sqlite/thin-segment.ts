import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { toEntry } from './record-entry.ts';
import { openForReading, openForWriting } from './segment-file.ts';
import { removeFile, syncFile } from './segment-files.ts';
import { type SegmentName, toFileName, toThinnedFileName } from './segment-name.ts';
import { SegmentReader } from './segment-reader.ts';
import { SegmentWriter } from './segment-writer.ts';

/** Ends the name of a file that is being written; no reader takes it for a segment. */
export const THINNING = '.thinning';
/** Labelled decisions that are written in one transaction. */
const BATCH = 50;

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
  #last = 0;
  #isOpen = true;

  constructor(directory: string, name: SegmentName) {
    this.name = name;
    this.#directory = directory;
    this.path = join(directory, toThinnedFileName(name) + THINNING);
    removeFile(this.path);
    this.#source = new SegmentReader(openForReading(join(directory, toFileName(name))));
    this.#writer = new SegmentWriter(openForWriting(this.path, false));
    this.#writer.keep([]);
  }

  /** Whether a decision that was without a label until now has been passed over. */
  hasPassed(name: SegmentName, seq: number): boolean {
    return name === this.name && seq <= this.#last;
  }

  /** Goes on for about so long. True once the file has taken the place of the other. */
  step(budgetMs: number): boolean {
    const untilMs = performance.now() + budgetMs;
    do {
      const seqs = this.#source.labelledAbove(this.#last, BATCH);
      this.#writer.keep(seqs.flatMap((seq) => this.#read(seq)));
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
    removeFile(this.path);
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
    this.#writer.close();
  }

  #finish(): void {
    this.#close();
    const before = join(this.#directory, toFileName(this.name));
    const db = new DatabaseSync(this.path);
    try {
      db.prepare('ATTACH ? AS whole').run(before);
      db.exec(`INSERT INTO labels SELECT * FROM whole.labels WHERE seq IN (SELECT seq FROM main.entries);
        DETACH whole; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;`);
    } finally {
      db.close();
    }
    syncFile(this.path);
    renameSync(this.path, join(this.#directory, toThinnedFileName(this.name)));
    syncFile(this.#directory);
    removeFile(before);
  }
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const PRIMARY_CODE = 0xff;

/** True where a file, or a record in it, is damaged for good. One that a later version wrote is not. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const sqlite: unknown = Reflect.get(error, 'errcode');
  if (typeof sqlite === 'number') return [SQLITE_CORRUPT, SQLITE_NOTADB].includes(sqlite & PRIMARY_CODE);
  const code: unknown = Reflect.get(error, 'code');
  return (
    error instanceof SyntaxError || (typeof code === 'string' && /^(?:DAMAGED|UNREADABLE|Z_|ERR_)/.test(code))
  );
}
