import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { OutcomeLabel } from '../../../domain/decision-log/outcome-label.ts';
import type { PackedRecords } from '../../../domain/decision-log/packed-records.ts';
import { createRecordUnpacker } from '../../../domain/decision-log/unpack-records.ts';
import { createDirectory, lockDirectory } from './history-directory.ts';
import { HistoryReader } from './history-reader.ts';
import { HistoryRetention, type RetentionLimits, type TidyReport } from './history-retention.ts';
import { type LabelAttempt, type LabelTask, labelAll, type TextLabelResult } from './label-writer.ts';
import { type RecordEntry, toEntry, toEntryOf } from './record-entry.ts';
import { openForWriting, SCHEMA_VERSION } from './segment-file.ts';
import { fileOfSegment } from './segment-files.ts';
import { nextPartOf, type SegmentName, toSegmentName } from './segment-name.ts';
import { type BatchName, SegmentWriter, sealSegment } from './segment-writer.ts';

/** What bounds a history, and how safely it is kept. */
export interface HistoryOptions extends RetentionLimits {
  readonly directory: string;
  /** Whether a batch counts as kept only when the disk has it. */
  readonly isSynced: boolean;
  /** True where nothing is removed, however old and much it is. */
  readonly keepsAll?: boolean;
}

/** A batch as texts, in the order of its records. */
interface TextBatch extends BatchName {
  readonly texts: readonly string[];
}

/** A batch as it comes from another thread. */
export interface PackedBatch extends BatchName, PackedRecords {}

interface CurrentSegment {
  readonly name: SegmentName;
  /** Of the file that is open: another one under the name is not written to. */
  readonly inode: number | null;
  readonly writer: SegmentWriter;
}

/** A segment holds at most this share of all bytes, so that removing the oldest one is a small step. */
const SEGMENT_SHARE = 1 / 16;

/**
 * Appends to the newest segment of a directory, labels decisions, and removes what is too old or too much.
 * One process at a time writes to a directory. Every method throws with a `code` when the disk fails; nothing
 * of what it was asked for is kept then.
 */
export class HistoryWriter {
  readonly #options: HistoryOptions;
  readonly #reader: HistoryReader;
  readonly #lock: { close(): void };
  readonly #retention: HistoryRetention;
  readonly #unpack = createRecordUnpacker();
  #current: CurrentSegment | null = null;
  /** Files that made room for an append, and of which nobody was told yet. */
  #removed = 0;

  constructor(options: HistoryOptions) {
    this.#options = options;
    createDirectory(options.directory);
    this.#lock = lockDirectory(options.directory);
    this.#reader = new HistoryReader(options.directory);
    this.#retention = new HistoryRetention(options.directory, this.#reader, options);
  }

  /**
   * Appends a batch at a time (Unix milliseconds), once: a batch that was the last one is kept already. Returns how many
   * files have made room since the last time.
   */
  append({ texts, ...batch }: TextBatch, nowMs: number): number {
    return this.#append(batch, () => texts.map(toEntry), nowMs);
  }

  /** The same for records of another thread. */
  appendPacked(batch: PackedBatch, nowMs: number): number {
    const toEntries = () => this.#unpack(batch).map(({ record, frame }) => toEntryOf(record, frame));
    return this.#append(batch, toEntries, nowMs);
  }

  #append(batch: BatchName, toEntries: () => RecordEntry[], nowMs: number): number {
    try {
      const current = this.#current ?? this.#openNewest();
      this.#requireInPlace();
      if (current?.writer.holds(batch) !== true) this.#writerAt(nowMs).append(batch, toEntries());
      this.#requireInPlace();
      const removed = this.#removed;
      this.#removed = 0;
      return removed;
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** Adds a label to a decision, whatever labels it has; see tryLabel. Throws with a `code`. */
  label(id: string, label: OutcomeLabel, isTimeGiven: boolean): TextLabelResult {
    const [attempt] = this.labelAll([{ id, label, isTimeGiven, seen: null }]);
    if (attempt === undefined || attempt.kind === 'failed') throw attempt?.error;
    return attempt;
  }

  /** The same for several, in their order. */
  labelAll(tasks: readonly LabelTask[]): LabelAttempt[] {
    return labelAll(tasks, {
      reader: this.#reader,
      open: (name) => openForWriting(this.#pathOf(name), this.#options.isSynced),
      onLabelled: (name, seq, isFirst) => this.#retention.onLabelled(name, seq, isFirst),
    });
  }

  /** Goes on with removing what is too old or too much. */
  tidy(nowMs: number): TidyReport {
    if (this.#options.keepsAll === true) return { removed: 0, thinned: 0, kept: null, isMore: false };
    const report = this.#retention.tidy(nowMs);
    this.#reader.closeRemoved();
    return report;
  }

  /** Frees what removed files had, while other calls go on. Call it when no reader has them open. */
  free(): Promise<void> {
    return this.#retention.free();
  }

  close(): void {
    this.#retention.close();
    this.#reader.close();
    // Last: who writes moves what stands beside the file into it, where nobody else has it open.
    this.#release();
    this.#lock.close();
  }

  /** The writer for a time. The name of a segment never falls, also when the clock is set back. */
  #writerAt(nowMs: number): SegmentWriter {
    const current = this.#current ?? this.#openNewest();
    const today = toSegmentName(nowMs, 1);
    if (current === null) return this.#openSegment(today);
    if (today.slice(0, 8) > current.name.slice(0, 8)) {
      current.writer.seal();
      return this.#openSegment(today);
    }
    if (current.writer.bytes() <= this.#options.bytesMax * SEGMENT_SHARE) return current.writer;
    current.writer.seal();
    const next = this.#openSegment(nextPartOf(current.name));
    if (this.#options.keepsAll !== true) this.#removed += this.#retention.remove(nowMs);
    return next;
  }

  #openNewest(): CurrentSegment | null {
    const newest = this.#reader.segments().at(-1);
    if (newest === undefined) return null;
    const segment = this.#reader.segment(newest);
    const isEarlier = segment !== null && segment.version() < SCHEMA_VERSION;
    // Nothing is appended to what is left of a day, nor to a file that an earlier version has to understand.
    const isOver = isEarlier || segment?.isThinned() === true;
    if (isEarlier && !segment.isThinned())
      sealSegment(openForWriting(this.#pathOf(newest), this.#options.isSynced));
    this.#openSegment(isOver ? nextPartOf(newest) : newest);
    return this.#current;
  }

  #openSegment(name: SegmentName): SegmentWriter {
    this.#release();
    const path = this.#pathOf(name);
    const writer = new SegmentWriter(openForWriting(path, this.#options.isSynced));
    this.#current = { name, inode: inodeOf(path), writer };
    return writer;
  }

  /** A batch in a file that was removed or moved away meanwhile is not kept. */
  #requireInPlace(): void {
    const current = this.#current;
    if (current === null || inodeOf(this.#pathOf(current.name)) === current.inode) return;
    throw Object.assign(new Error('the file of the history was moved away'), { code: 'FILE_MOVED' });
  }

  #release(): void {
    const current = this.#current;
    this.#current = null;
    current?.writer.close();
  }

  #pathOf(name: SegmentName): string {
    return join(this.#options.directory, fileOfSegment(this.#options.directory, name));
  }
}

/** Which file a name leads to; null for none. */
function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}
