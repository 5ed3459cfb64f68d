import type { RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import type { EntrySpan } from './segment-extent.ts';
import type { SegmentName } from './segment-name.ts';

/** Times that are looked for, Unix milliseconds: from one on, and before another. */
export interface TimeSpan {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** Of no time in particular. */
export const ALWAYS: TimeSpan = { sinceMs: 0, untilMs: Number.POSITIVE_INFINITY };
const MINUTE_MS = 60_000;

/** The times of a filter, to the minute, as counts are. */
export function toTimeSpan({ since, until }: RecordFilter): TimeSpan {
  return {
    sinceMs: since === undefined ? ALWAYS.sinceMs : Math.floor(Date.parse(since) / MINUTE_MS) * MINUTE_MS,
    untilMs: until === undefined ? ALWAYS.untilMs : Math.ceil(Date.parse(until) / MINUTE_MS) * MINUTE_MS,
  };
}

/** The files of a directory. */
interface SegmentSource {
  segments(): readonly SegmentName[];
  /** Undefined where there is none. */
  inodeOf(name: SegmentName): number | undefined;
  /** Null where a segment is empty, or not there. */
  spanOf(name: SegmentName): EntrySpan | null;
}

/** When the entries of each segment were made. It is remembered where no more are appended, also of closed ones. */
export class SegmentSpans {
  readonly #source: SegmentSource;
  readonly #known = new Map<SegmentName, { readonly inode: number; readonly span: EntrySpan | null }>();

  constructor(source: SegmentSource) {
    this.#source = source;
  }

  /**
   * Whether a segment may have entries of a time. Its name does not tell: what arrives late stands in a later day,
   * and where the clock was set back in a much later one.
   */
  mayHold(name: SegmentName, times: TimeSpan): boolean {
    if (times.sinceMs <= ALWAYS.sinceMs && times.untilMs === ALWAYS.untilMs) return true;
    const span = this.#spanOf(name);
    return span !== null && span.lastMs >= times.sinceMs && span.firstMs < times.untilMs;
  }

  /** Forgets files that are there no more. */
  forgetRemoved(): void {
    for (const [name, { inode }] of this.#known)
      if (this.#source.inodeOf(name) !== inode) this.#known.delete(name);
  }

  #spanOf(name: SegmentName): EntrySpan | null {
    const inode = this.#source.inodeOf(name);
    const known = this.#known.get(name);
    if (known !== undefined && known.inode === inode) return known.span;
    // Asked first: once there is a later one, no entry comes to this one.
    const isOver = name !== this.#source.segments().at(-1);
    const span = this.#source.spanOf(name);
    if (isOver && inode !== undefined && this.#source.inodeOf(name) === inode)
      this.#known.set(name, { inode, span });
    return span;
  }
}
