import { GAP_SHAPE, LAST_BATCH } from './segment-file.ts';
import type { SegmentStatements } from './segment-statements.ts';

/** The entries between two numbers, the bounds included. */
export interface SeqRange {
  readonly first: number;
  readonly last: number;
}

/** When entries were made, Unix milliseconds, both included. */
export interface EntrySpan {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** The numbers of all entries of a segment; null for an empty one. */
export function rangeOf(statements: SegmentStatements): SeqRange | null {
  // Each by itself: both in one aggregate would look at every entry.
  const sql = 'SELECT (SELECT min(seq) FROM entries) AS first, (SELECT max(seq) FROM entries) AS last';
  const row = statements.of(sql).get();
  if (row === undefined || row['first'] === null) return null;
  return { first: Number(row['first']), last: Number(row['last']) };
}

/** When the entries of a segment were made; null for an empty one. */
export function spanOf(statements: SegmentStatements): EntrySpan | null {
  // Each by itself, as above: from the ends of two indexes.
  const sql = `SELECT (SELECT min(min_at) FROM blocks) AS first, (SELECT max(max_at) FROM blocks) AS last,
    min(at) AS tail_first, max(at) AS tail_last, min(shape) AS shape FROM entries WHERE seq > ?`;
  const row = statements.of(sql).get(lastBlocked(statements)) ?? {};
  const [first, last] = [row['first'] ?? row['tail_first'], row['last'] ?? row['tail_last']];
  if (first === null || first === undefined) return null;
  // How long a gap lasts is in its record.
  const tailLast = row['shape'] === GAP_SHAPE ? Number.MAX_SAFE_INTEGER : (row['tail_last'] ?? last);
  return {
    firstMs: Math.min(Number(first), Number(row['tail_first'] ?? first)),
    lastMs: Math.max(Number(last), Number(tailLast)),
  };
}

/** A number above all entries of a segment that can be of before a time. */
export function seqAbove(statements: SegmentStatements, untilMs: number): number {
  const sql = 'SELECT max(seq) AS seq FROM entries WHERE seq > ? AND at < ?';
  const tail = statements.of(sql).get(lastBlocked(statements), untilMs)?.['seq'] ?? null;
  const blocked = statements.of('SELECT max(last) AS last FROM blocks WHERE min_at < ?').get(untilMs);
  return Number(tail ?? blocked?.['last'] ?? 0) + 1;
}

/** A number at or below all entries of a segment that can be of a time or later. */
export function seqFrom(statements: SegmentStatements, sinceMs: number): number {
  const last = lastBlocked(statements);
  const row = statements.of('SELECT min(first) AS first FROM blocks WHERE max_at >= ?').get(sinceMs);
  return Number(row?.['first'] ?? last + 1);
}

/** The number of the last entry whose record stands in a block; 0 where none does. */
function lastBlocked(statements: SegmentStatements): number {
  const sql = 'SELECT last FROM blocks ORDER BY first DESC LIMIT 1';
  return Number(statements.of(sql).get()?.['last'] ?? 0);
}

/**
 * Tells what a segment holds, labels aside, from what every other does: no two batches have one name, and a file that
 * was rebuilt, which may number things in another way, is another one.
 */
export function contentOf(statements: SegmentStatements, inode: number): string {
  const greatest = (table: string) => statements.of(`SELECT max(id) AS last FROM ${table}`).get()?.['last'];
  const batch = statements.of(`SELECT value FROM meta WHERE name = '${LAST_BATCH}'`).get()?.['value'];
  const numbered = ['shapes', 'places', 'actions'].map(greatest);
  return JSON.stringify([inode, rangeOf(statements), batch ?? null, ...numbered]);
}
