import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DecisionSink, LogBatch } from '../../../application/decision-log/decision-log.ts';
import { createRecordTexts } from '../../../domain/decision-log/record-text.ts';
import { LineBuffer } from '../../../platform/line-buffer.ts';
import { repairTail } from './torn-tail.ts';

interface DecisionFileOptions {
  readonly path: string;
  /** Whether a batch counts as kept only when the disk has it. */
  readonly isSynced: boolean;
  readonly onEvent: (event: DecisionFileEvent) => void;
}

/** What an operator wants to read of a file in a log. Codes are those of the system (`ENOSPC`). */
export type DecisionFileEvent =
  | { readonly kind: 'repaired'; readonly cut_bytes: number }
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'recovered' | 'reopened' | 'truncated' };

/** How often a batch is written when the file is moved away each time. One rotation costs one more. */
const ATTEMPTS_MAX = 5;
/** Read as well as appended to, for the repair. Only the owner and the group may read it. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;
const MODE = 0o640;
/** A batch of 256 records. */
const BLOCK_BYTES = 1024 * 1024;

/**
 * A file of JSON lines that one process appends to. A torn end is cut off when it is opened, and after a
 * write that failed half way. A batch is kept only when the file that took it still has the name after the
 * write: who has renamed the file may be past its end already. Otherwise the batch is written again, to a new
 * file under the name, and its records stand in both. Rejects when the file cannot be opened at first.
 */
export async function openDecisionFile(options: DecisionFileOptions): Promise<DecisionSink> {
  const sink = new DecisionFile(options);
  await sink.open();
  return sink;
}

class DecisionFile implements DecisionSink {
  readonly id = 'file';
  readonly isDurable: boolean;
  readonly isShared = false;
  readonly #options: DecisionFileOptions;
  /** One batch at a time uses it. */
  readonly #lines = new LineBuffer(BLOCK_BYTES);
  readonly #textOf = createRecordTexts();
  #file: FileHandle | null = null;
  #place = '';
  /** Where the next record begins: everything before it is whole. */
  #bytes = 0;
  #isFailing = false;
  #isClosed = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: DecisionFileOptions) {
    this.#options = options;
    this.isDurable = options.isSynced;
  }

  async open(): Promise<void> {
    const { path, isSynced, onEvent } = this.#options;
    const file = await open(path, FLAGS, MODE);
    try {
      const { place, bytes: size } = toFound(await file.stat());
      // What failed may have been written all the same, and its place is known.
      if (this.#isFailing && place === this.#place && size > this.#bytes) await file.truncate(this.#bytes);
      const { bytes, cutBytes } = await repairTail(file);
      if (cutBytes > 0) onEvent({ kind: 'repaired', cut_bytes: cutBytes });
      if (isSynced) {
        await file.sync();
        await syncDirectory(path);
      }
      this.#place = place;
      this.#bytes = bytes;
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
  }

  append(batch: LogBatch): Promise<boolean> {
    const appended = this.#queue.then(() => this.#append(batch));
    this.#queue = appended;
    return appended;
  }

  async close(): Promise<void> {
    await this.#queue;
    this.#isClosed = true;
    await this.#release();
  }

  async #append({ records }: LogBatch): Promise<boolean> {
    if (this.#isClosed) return false;
    for (const record of records) this.#lines.add(this.#textOf(record));
    const bytes = this.#lines.take();
    try {
      await this.#keep(bytes);
    } catch (error) {
      await this.#fail(error);
      return false;
    }
    if (this.#isFailing) this.#options.onEvent({ kind: 'recovered' });
    this.#isFailing = false;
    return true;
  }

  async #keep(bytes: Buffer): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      const file = await this.#current();
      await writeAll(file, bytes);
      if (this.#options.isSynced) await file.datasync();
      if (await this.#isInPlace(this.#bytes + bytes.length)) return;
    }
    throw Object.assign(new Error('The file is moved away again and again.'), { code: 'FILE_MOVED' });
  }

  /**
   * Whether the name still leads to the open file, and all that was written is in it. If not, the file is let
   * go.
   */
  async #isInPlace(bytes: number): Promise<boolean> {
    const found = await findOrNull(this.#options.path);
    const isMoved = found?.place !== this.#place;
    if (!isMoved && found.bytes >= bytes) {
      this.#bytes = found.bytes;
      return true;
    }
    await this.#release();
    this.#options.onEvent({ kind: isMoved ? 'reopened' : 'truncated' });
    return false;
  }

  async #current(): Promise<FileHandle> {
    if (this.#file === null) await this.open();
    if (this.#file === null) throw new TypeError('an opened file is there');
    return this.#file;
  }

  /**
   * Cuts off what may stand there in part. A file that failed is opened again: after a failed sync the
   * kernel's idea of what is on the disk is not to be trusted.
   */
  async #fail(error: unknown): Promise<void> {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
    if (!this.#isFailing) this.#options.onEvent({ kind: 'failed', code: String(code) });
    this.#isFailing = true;
    try {
      await this.#file?.truncate(this.#bytes);
    } catch {
      // Then the next opening cuts it off.
    }
    await this.#release();
  }

  async #release(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    try {
      await file?.close();
    } catch {
      // Nothing can be done about a file that cannot be closed; its descriptor is released all the same.
    }
  }
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written);
    written += bytesWritten;
  }
}

/** What a path or a handle leads to: one file has one place for as long as somebody holds it open. */
interface Found {
  readonly place: string;
  readonly bytes: number;
}

function toFound({ dev, ino, size }: { dev: number; ino: number; size: number }): Found {
  return { place: `${dev}:${ino}`, bytes: size };
}

async function findOrNull(path: string): Promise<Found | null> {
  try {
    return toFound(await stat(path));
  } catch {
    // ENOENT: it was moved away. Whatever else it is, opening says so.
    return null;
  }
}

/** A new file is there after a crash only when its directory is on the disk too. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
