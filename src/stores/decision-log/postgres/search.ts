import type { LogEntry, LogPage, QueryOptions } from '../../../application/decision-log/decision-log.ts';
import type { LogRecord } from '../../../domain/decision-log/decision-record.ts';
import type { RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import type { KnownShapes } from './known-shapes.ts';
import type { ReadPool } from './read-pool.ts';
import { planSearch, type SearchPlan } from './search-plan.ts';
import { type PositionRange, SCAN_MAX } from './search-sources.ts';
import { rangesBack, readSpans, toPos, toPosition } from './spans.ts';

/** What a search reads. */
export interface SearchedStore {
  readonly pool: ReadPool;
  readonly shapes: KnownShapes;
}

/** An entry as it is kept. */
export interface EntryRow extends Record<string, unknown> {
  readonly pos: number;
  readonly body: string;
}

/** The entry of a row. */
export function toLogEntry({ pos, body }: EntryRow): LogEntry {
  return { position: toPosition(pos), record: JSON.parse(body) as LogRecord };
}

/** Finds the newest entries that match a filter. Rejects with `store_unavailable`. */
export async function search(
  { pool, shapes }: SearchedStore,
  filter: RecordFilter,
  { before, limit }: QueryOptions,
): Promise<LogPage> {
  const below = before === null ? Number.MAX_SAFE_INTEGER : (toPos(before) ?? 0);
  const spans = await readSpans(pool);
  const plan = planSearch(filter, await shapes.matching(filter));
  const entries: LogEntry[] = [];
  for (const { begins, ends } of rangesBack(spans.filter((span) => span.begins < below))) {
    const range = { from: begins, below: Math.min(ends, below) };
    const { rows, reached } = await searchRange(pool, plan, range, limit - entries.length);
    entries.push(...rows.map(toLogEntry));
    if (reached !== null) return { entries, next: toPosition(reached) };
  }
  return { entries, next: null };
}

/** A match; without one there is a row all the same, which says how far was looked. */
type PageRow = FoundRow | { readonly pos: null; readonly body: null; readonly reached: number | null };

interface FoundRow extends EntryRow {
  readonly reached: number | null;
}

interface RangeMatches {
  /** Newest first. */
  readonly rows: readonly EntryRow[];
  /** The position down to which everything was looked at; null where that is the whole range. */
  readonly reached: number | null;
}

async function searchRange(
  pool: ReadPool,
  { values, page }: SearchPlan,
  range: PositionRange,
  limit: number,
): Promise<RangeMatches> {
  const answer = await pool.rows<PageRow>(page(range, limit, SCAN_MAX), values);
  const found = answer.filter((row): row is FoundRow => row.pos !== null);
  // An entry can come from two sources.
  const rows = found.filter(({ pos }, place) => pos !== found[place - 1]?.pos);
  const last = found.length >= limit ? (rows.at(-1)?.pos ?? 0) : 0;
  const reached = Math.max(answer[0]?.reached ?? 0, last);
  return { rows: rows.filter(({ pos }) => pos >= reached), reached: reached === 0 ? null : reached };
}
