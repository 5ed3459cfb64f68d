import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryReader } from './history-reader.ts';
import {
  bytesOf,
  fileOfSegment,
  freeSetAside,
  removeFile,
  removeLeftSummaries,
  setAside,
} from './segment-files.ts';
import { dayMsOf, type SegmentName, toFileName, toThinnedFileName } from './segment-name.ts';
import { isDamage, THINNING, Thinning } from './thin-segment.ts';

/** What bounds a history. */
export interface RetentionLimits {
  /** Whole days are removed once they are older, but for labelled decisions. */
  readonly retentionMs: number;
  /** The same for labelled decisions, where that is longer. */
  readonly labelledKeptMs: number;
  /** Bytes of all files together; beyond them the oldest segments are removed. */
  readonly bytesMax: number;
}

/** What one step of tidying has done. */
export interface TidyReport {
  readonly removed: number;
  /** Files of which only labelled decisions are left. */
  readonly thinned: number;
  /** Why a day could not be thinned, and is kept whole until the next day or start: a code. Null for none. */
  readonly kept: string | number | null;
  /** True where it is to be called again soon. */
  readonly isMore: boolean;
}

const DAY_MS = 86_400_000;
/** How long one step of thinning holds up the records that come meanwhile. */
const STEP_MS = 10;

/** Removes what is too old or too much of a directory, whose one writer it belongs to. */
export class HistoryRetention {
  readonly #directory: string;
  readonly #reader: HistoryReader;
  readonly #limits: RetentionLimits;
  #thinning: Thinning | null = null;
  /** Days that could not be thinned, and until when that is not tried again, Unix milliseconds. */
  readonly #kept = new Map<SegmentName, number>();

  constructor(directory: string, reader: HistoryReader, limits: RetentionLimits) {
    this.#directory = directory;
    this.#reader = reader;
    this.#limits = limits;
    this.#endWhatWasBegun();
  }

  /** Removes the segments that are too old, and the oldest ones while all are too large. Returns how many. */
  remove(nowMs: number): number {
    const { bytesMax } = this.#limits;
    const names = this.#reader.segments();
    const sizes = names.map((name) => this.#bytesOf(name));
    let total = sizes.reduce(
      (sum, bytes) => sum + bytes,
      this.#thinning === null ? 0 : bytesOf(this.#thinning.path),
    );
    let removed = 0;
    // The newest segment is written to.
    for (const [place, name] of names.slice(0, -1).entries()) {
      if (total <= bytesMax && !this.#isOver(name, nowMs)) continue;
      this.#remove(name);
      total -= sizes[place] ?? 0;
      removed += 1;
    }
    return removed;
  }

  /** The same, and goes on for a moment with thinning what has labelled decisions. */
  tidy(nowMs: number): TidyReport {
    const removed = this.remove(nowMs);
    const name = this.#thinning?.name ?? this.#nextToThin(nowMs);
    if (name === null) return { removed, thinned: 0, kept: null, isMore: false };
    try {
      this.#thinning ??= new Thinning(this.#directory, name);
      const isDone = this.#thinning.step(STEP_MS);
      if (isDone) this.#thinning = null;
      return { removed, thinned: isDone ? 1 : 0, kept: null, isMore: true };
    } catch (error) {
      // The days after it are thinned all the same.
      this.#abandon();
      this.#kept.set(name, nowMs + DAY_MS);
      return { removed, thinned: 0, kept: codeOf(error), isMore: true };
    }
  }

  /** Call it where a decision has another label. What is thinned without a first one begins again. */
  onLabelled(name: SegmentName, seq: number, isFirst: boolean): void {
    if (this.#thinning?.hasPassed(name, seq) !== true) return;
    try {
      if (isFirst) this.#abandon();
      else this.#thinning.takeLabel(seq);
    } catch {
      // The label itself is written: what is thinned without it is of no use.
      this.#abandon();
    }
  }

  /** Gives the disk back what removed files had. Other writes go on meanwhile. Rejects with a `code`. */
  free(): Promise<void> {
    return freeSetAside(this.#directory);
  }

  close(): void {
    this.#abandon();
  }

  #isOver(name: SegmentName, nowMs: number): boolean {
    const { retentionMs, labelledKeptMs } = this.#limits;
    const ageMs = nowMs - dayMsOf(name) - DAY_MS;
    return ageMs >= retentionMs && (ageMs >= labelledKeptMs || !this.#hasLabels(name));
  }

  /** Of what is damaged nothing can be kept longer. */
  #hasLabels(name: SegmentName): boolean {
    try {
      return (this.#reader.segment(name)?.labelledAbove(0, 1).length ?? 0) > 0;
    } catch (error) {
      return !isDamage(error);
    }
  }

  /** The oldest segment that has more than labelled decisions for too long. */
  #nextToThin(nowMs: number): SegmentName | null {
    const isWhole = (name: SegmentName) => fileOfSegment(this.#directory, name) === toFileName(name);
    const isTried = (name: SegmentName) => nowMs >= (this.#kept.get(name) ?? 0);
    const names = this.#reader.segments().slice(0, -1);
    const isOld = (name: SegmentName) => nowMs - dayMsOf(name) - DAY_MS >= this.#limits.retentionMs;
    return names.find((name) => isOld(name) && isTried(name) && isWhole(name)) ?? null;
  }

  #abandon(): void {
    this.#thinning?.abandon();
    this.#thinning = null;
  }

  #remove(name: SegmentName): void {
    if (this.#thinning?.name === name) this.#abandon();
    // The whole one first: the thinned one is read where both are there.
    for (const file of [toFileName(name), toThinnedFileName(name)]) setAside(join(this.#directory, file));
  }

  #bytesOf(name: SegmentName): number {
    return [toFileName(name), toThinnedFileName(name)].reduce(
      (sum, file) => sum + bytesOf(join(this.#directory, file)),
      0,
    );
  }

  /** Ends what a process was killed in. */
  #endWhatWasBegun(): void {
    for (const file of readdirSync(this.#directory))
      if (file.endsWith(THINNING)) removeFile(join(this.#directory, file));
    removeLeftSummaries(this.#directory);
    for (const name of this.#reader.segments())
      if (fileOfSegment(this.#directory, name) !== toFileName(name))
        setAside(join(this.#directory, toFileName(name)));
  }
}

/** Of SQLite, of the system or of ours; no text of a record. */
function codeOf(error: unknown): string | number {
  const code: unknown =
    error instanceof Error ? (Reflect.get(error, 'errcode') ?? Reflect.get(error, 'code')) : null;
  return typeof code === 'string' || typeof code === 'number' ? code : 'ERROR';
}
