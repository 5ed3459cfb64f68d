import { statSync } from 'node:fs';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { LogPosition, QueryOptions } from '../../../application/decision-log/decision-log.ts';
import type { OutcomeLabel } from '../../../domain/decision-log/outcome-label.ts';
import type { RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import { toSums } from './history-counts.ts';
import { isSummarisable, toSummary } from './make-summary.ts';
import { toIdKey } from './record-entry.ts';
import { searchSegment } from './search-segment.ts';
import { NO_TABLES, openForReading } from './segment-file.ts';
import { fileOfSegment, segmentsIn } from './segment-files.ts';
import { dayMsOf, type EntryPlace, type SegmentName, toPlace, toPosition } from './segment-name.ts';
import { SegmentReader } from './segment-reader.ts';
import { ALWAYS, SegmentSpans, type TimeSpan, toTimeSpan } from './segment-spans.ts';
import { SegmentSummary } from './segment-summary.ts';
import { SUMMARY, SummaryFile, writeSummary } from './summary-file.ts';

/** An entry as text, which costs less to hand to another thread than what it parses to. */
export interface TextEntry {
  readonly position: LogPosition;
  readonly text: string;
}

/** A page of a query; see LogPage. */
interface TextPage {
  readonly entries: readonly TextEntry[];
  readonly next: LogPosition | null;
}

/** What follows a position; see LogSlice. */
interface TextSlice {
  readonly entries: readonly TextEntry[];
  readonly position: LogPosition | null;
  readonly isGap: boolean;
}

/** A decision and its labels. */
export interface LabelledText extends TextEntry {
  readonly labels: readonly OutcomeLabel[];
}

/** Open files: more than there are days in most histories, labelled ones included; about 100 KB each. */
const OPEN_MAX = 400;
/** Records that one query reads, at most; chunks of entries count for less. */
const COST_MAX = 1_000;
const ABOVE_ALL = Number.MAX_SAFE_INTEGER;
const DAY_MS = 86_400_000;

interface OpenSegment {
  readonly reader: SegmentReader;
  /** Which file it was when it was opened: a thinned one takes its place. */
  readonly inode: number;
}

/** Reads all segments of a directory, also while another thread appends to them and removes some. */
export class HistoryReader {
  readonly #directory: string;
  readonly #open = new LRUCache<SegmentName, OpenSegment>({
    max: OPEN_MAX,
    dispose: ({ reader }) => reader.close(),
  });

  /** Files whose summary was looked at, or tried to make. */
  readonly #summarised = new Map<SegmentName, number>();
  readonly #spans = new SegmentSpans({
    segments: () => this.segments(),
    inodeOf: (name) => inodeOf(this.#pathOf(name)),
    spanOf: (name) => this.segment(name)?.span() ?? null,
  });

  constructor(directory: string) {
    this.#directory = directory;
  }

  close(): void {
    this.#open.clear();
  }

  /** Closes files that are there no more: as long as they are open, the disk keeps them. Between two questions. */
  closeRemoved(): void {
    const removed: SegmentName[] = [];
    for (const [name, { inode }] of this.#open.entries())
      if (inodeOf(this.#pathOf(name)) !== inode) removed.push(name);
    for (const name of removed) this.#open.delete(name);
    this.#spans.forgetRemoved();
    for (const [name, inode] of this.#summarised)
      if (inodeOf(this.#pathOf(name)) !== inode) this.#summarised.delete(name);
  }

  #pathOf(name: SegmentName): string {
    return join(this.#directory, fileOfSegment(this.#directory, name));
  }

  /** The names of all segments, oldest first. */
  segments(): SegmentName[] {
    return segmentsIn(this.#directory);
  }

  /** A segment that is there; null where it has been removed, or is being made. */
  segment(name: SegmentName): SegmentReader | null {
    const path = this.#pathOf(name);
    const inode = inodeOf(path);
    const open = this.#open.get(name);
    if (open !== undefined && open.inode === inode) return open.reader;
    this.#open.delete(name);
    if (inode === undefined) return null;
    const db = openUnlessEmpty(path);
    if (db === null) return null;
    const reader = new SegmentReader(db);
    readSummary(reader, path, inode);
    this.#open.set(name, { reader, inode });
    return reader;
  }

  /**
   * Makes the summary of one segment that is over and has none, in the time of some questions. True where another may
   * have none. Only the process that writes to the directory may call it. Throws where the disk fails; the segment is
   * not tried again then.
   */
  summarise(): boolean {
    for (const name of this.segments().slice(0, -1)) {
      const path = this.#pathOf(name);
      const inode = inodeOf(path);
      if (inode === undefined || this.#summarised.get(name) === inode) continue;
      this.#summarised.set(name, inode);
      const segment = this.segment(name);
      if (segment === null || segment.hasSummary || !isSummarisable(segment)) continue;
      writeSummary(path + SUMMARY, segment.content(inode), toSummary(segment, toSums(segment)));
      readSummary(segment, path, inode);
      return true;
    }
    return false;
  }

  /** All segments that are there and may have entries of a time, oldest first. */
  *all(span: TimeSpan = ALWAYS): Generator<SegmentReader> {
    yield* this.#within(this.segments(), span);
  }

  /** Those that may have entries of the time of a filter, newest first. */
  *allBack(filter: RecordFilter = {}): Generator<SegmentReader> {
    yield* this.#within(this.segments().reverse(), toTimeSpan(filter));
  }

  *#within(names: readonly SegmentName[], times: TimeSpan): Generator<SegmentReader> {
    for (const name of names) {
      const segment = this.#spans.mayHold(name, times) ? this.segment(name) : null;
      if (segment !== null) yield segment;
    }
  }

  query(filter: RecordFilter, { before, limit }: QueryOptions): TextPage {
    const from = before === null ? null : toPlace(before);
    const times = toTimeSpan(filter);
    const entries: TextEntry[] = [];
    let cost = 0;
    for (const name of this.segments().reverse()) {
      if (from !== null && name > from.segment) continue;
      const segment = this.#spans.mayHold(name, times) ? this.segment(name) : null;
      if (segment === null) continue;
      const below = from !== null && name === from.segment ? from.seq : ABOVE_ALL;
      const bounds = { before: below, limit: limit - entries.length, costMax: COST_MAX - cost };
      const { found, reached, cost: more } = searchSegment(segment, filter, bounds);
      for (const { seq, text } of found) entries.push({ position: toPosition({ segment: name, seq }), text });
      cost += more;
      if (reached !== null) return { entries, next: this.#olderThan({ segment: name, seq: reached }) };
      if (entries.length >= limit || cost >= COST_MAX) {
        return { entries, next: this.#olderThan({ segment: name, seq: 0 }) };
      }
    }
    return { entries, next: null };
  }

  find(id: string): LabelledText | null {
    const place = this.placeOf(id);
    if (place === null) return null;
    const segment = this.segment(place.segment);
    if (segment === null) return null;
    const { seq } = place;
    return {
      position: toPosition(place),
      text: JSON.stringify(segment.recordOf(seq)),
      labels: segment.labelsOf(seq),
    };
  }

  /** Where a decision stands. Its id says when it was made, and it is looked for there first. */
  placeOf(id: string): EntryPlace | null {
    const key = toIdKey(id);
    const madeMs = typeof key === 'string' ? 0 : Buffer.from(key).readUIntBE(0, 6);
    const isNear = (name: SegmentName) => Math.abs(dayMsOf(name) + DAY_MS / 2 - madeMs) <= DAY_MS;
    const names = this.segments().reverse();
    for (const name of [...names.filter(isNear), ...names.filter((name) => !isNear(name))]) {
      const seq = this.segment(name)?.seqOf(key) ?? null;
      if (seq !== null) return { segment: name, seq };
    }
    return null;
  }

  labelsAt(positions: readonly LogPosition[]): (readonly OutcomeLabel[])[] {
    return positions.map((position) => {
      const place = toPlace(position);
      return place === null ? [] : (this.segment(place.segment)?.labelsOf(place.seq) ?? []);
    });
  }

  readAfter(position: LogPosition | null, limit: number): TextSlice {
    const from = position === null ? null : toPlace(position);
    const names = this.segments();
    const entries: TextEntry[] = [];
    for (const name of names) {
      if (entries.length >= limit || (from !== null && name < from.segment)) continue;
      const above = from !== null && name === from.segment ? from.seq : 0;
      const texts = this.segment(name)?.textsAbove(above, limit - entries.length) ?? [];
      for (const [seq, text] of texts) entries.push({ position: toPosition({ segment: name, seq }), text });
    }
    const isGap = position !== null && !this.#holds(from, names);
    return { entries, position: entries.at(-1)?.position ?? (from === null ? null : position), isGap };
  }

  newest(): LogPosition | null {
    for (const name of this.segments().reverse()) {
      const range = this.segment(name)?.range() ?? null;
      if (range !== null) return toPosition({ segment: name, seq: range.last });
    }
    return null;
  }

  /** Whether all that follows a place is still there. */
  #holds(place: EntryPlace | null, names: readonly SegmentName[]): boolean {
    if (place === null || !names.includes(place.segment)) return false;
    return this.segment(place.segment)?.isThinned() === false;
  }

  /** The place as the position of a next page; null where nothing is older. */
  #olderThan({ segment, seq }: EntryPlace): LogPosition | null {
    const range = this.segment(segment)?.range() ?? null;
    if (range !== null && range.first < seq) return toPosition({ segment, seq });
    const older = this.segments().filter((name) => name < segment);
    return older.some((name) => (this.segment(name)?.range() ?? null) !== null)
      ? toPosition({ segment, seq: Math.max(seq, 1) })
      : null;
  }
}

/** Undefined where there is no such file. */
function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Until there is one, the segment itself tells all of it. */
function readSummary(segment: SegmentReader, path: string, inode: number): void {
  const file = SummaryFile.open(path + SUMMARY, () => segment.content(inode));
  const summary = file === null ? null : SegmentSummary.of(file);
  if (summary !== null) segment.useSummary(summary);
}

function openUnlessEmpty(path: string): ReturnType<typeof openForReading> | null {
  try {
    return openForReading(path);
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === NO_TABLES) return null;
    throw error;
  }
}
