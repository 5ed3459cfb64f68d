import type { LogPosition } from '../../../application/decision-log/decision-log.ts';
import type { ReadPool } from './read-pool.ts';

/** A partition: the positions that it holds, from `begins` to before `ends`. */
export interface Span {
  readonly begins: number;
  readonly ends: number;
  readonly is_thinned: boolean;
}

/** Partitions that one statement looks into: each costs it some locks, and some of its time before it runs. */
const TOGETHER = 8;
const DIGITS = 16;
const POSITION = /^\d{16}$/;

/** The position of an entry: later entries have greater strings. */
export function toPosition(pos: number): LogPosition {
  return String(pos).padStart(DIGITS, '0');
}

/** Null for what is no position in this log. */
export function toPos(position: LogPosition): number | null {
  return POSITION.test(position) ? Number(position) : null;
}

/** All partitions, oldest first. */
export function readSpans(pool: ReadPool): Promise<readonly Span[]> {
  return pool.rows<Span & Record<string, unknown>>(
    'SELECT begins, ends, is_thinned FROM riskgate.spans ORDER BY begins',
  );
}

/** Ranges of positions that lie in a few partitions each, newest first. */
export function* rangesBack(spans: readonly Span[]): Generator<Pick<Span, 'begins' | 'ends'>> {
  for (let end = spans.length; end > 0; end -= TOGETHER) {
    const [first, last] = [spans[Math.max(0, end - TOGETHER)], spans[end - 1]];
    if (first !== undefined && last !== undefined) yield { begins: first.begins, ends: last.ends };
  }
}

/**
 * Ranges of positions that lie in a few partitions each, oldest first. The last range has all to which a record
 * may still be added: what is read in one statement has no holes.
 */
export function* rangesOn(spans: readonly Span[]): Generator<Pick<Span, 'begins' | 'ends'>> {
  for (let start = 0; start < spans.length; ) {
    const end = spans.length - start <= 2 * TOGETHER ? spans.length : start + TOGETHER;
    const [first, last] = [spans[start], spans[end - 1]];
    if (first !== undefined && last !== undefined) yield { begins: first.begins, ends: last.ends };
    start = end;
  }
}
