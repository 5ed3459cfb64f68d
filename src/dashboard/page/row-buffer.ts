import type { DecisionSummary } from './wire.ts';

/** How many rows fell out at the old end. */
type Dropped = number;

/**
 * The rows of the table, newest first, each once. Rows come in at the new end, and page by page at the old
 * one.
 */
export interface RowBuffer {
  readonly length: number;
  /** Rows that came in at the new end and are still here. */
  readonly arrived: number;
  at(place: number): DecisionSummary | undefined;
  has(id: string): boolean;
  /** A new decision. Returns how many rows that arrived before had to make room. */
  add(row: DecisionSummary): Dropped;
  /** Older decisions, newest of them first. Those that do not fit are left out. */
  append(rows: readonly DecisionSummary[]): void;
  /** True while older rows fit, and none has been dropped: behind a gap nothing is appended. */
  readonly hasRoom: boolean;
  clear(): void;
  /** Drops all rows but those that arrived after the first `count` had. */
  keepArrivedAfter(count: number): void;
}

/**
 * The share of rows that goes at once when there are too many: dropping one at a time would move all others
 * each time.
 */
const DROPPED_SHARE = 0.1;

/** Builds an empty buffer that holds `rowsMax` rows at most. */
export function createRowBuffer(rowsMax: number): RowBuffer {
  /** Oldest first. */
  let arrived: DecisionSummary[] = [];
  /** Newest first. */
  let older: DecisionSummary[] = [];
  let ids = new Set<string>();
  /** Rows at the old end have been dropped. */
  let isCut = false;
  const forget = (rows: readonly DecisionSummary[]) => {
    for (const row of rows) ids.delete(row.decision_id);
  };
  const reset = (kept: DecisionSummary[]) => {
    arrived = kept;
    older = [];
    isCut = false;
    ids = new Set(kept.map((row) => row.decision_id));
  };
  const makeRoom = (): Dropped => {
    if (arrived.length + older.length <= rowsMax) return 0;
    isCut = true;
    const surplus = Math.max(1, Math.ceil(rowsMax * DROPPED_SHARE));
    forget(older.splice(Math.max(0, older.length - surplus)));
    if (arrived.length <= rowsMax) return 0;
    const dropped = arrived.splice(0, surplus);
    forget(dropped);
    return dropped.length;
  };
  return {
    get length() {
      return arrived.length + older.length;
    },
    get arrived() {
      return arrived.length;
    },
    get hasRoom() {
      return !isCut && arrived.length + older.length < rowsMax;
    },
    at: (place) =>
      place < arrived.length ? arrived[arrived.length - 1 - place] : older[place - arrived.length],
    has: (id) => ids.has(id),
    add: (row) => {
      if (ids.has(row.decision_id)) return 0;
      ids.add(row.decision_id);
      arrived.push(row);
      return makeRoom();
    },
    append: (rows) => {
      for (const row of rows) {
        if (isCut) return;
        if (ids.has(row.decision_id)) continue;
        isCut = arrived.length + older.length >= rowsMax;
        if (isCut) return;
        ids.add(row.decision_id);
        older.push(row);
      }
    },
    keepArrivedAfter: (count) => reset(arrived.slice(count)),
    clear: () => reset([]),
  };
}
