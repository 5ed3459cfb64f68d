import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import type { OutcomeLabel } from '../../../domain/decision-log/outcome-label.ts';
import type { RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import { readBlock } from './record-block.ts';
import { GAP_SHAPE } from './segment-file.ts';

/** An entry without its text. */
export interface EntryRow {
  readonly seq: number;
  readonly atMs: number;
  readonly shape: number;
}

/** Counts of one shape in one period. */
interface ShapeCountRow {
  readonly start: number;
  readonly shape: number;
  readonly count: number;
}

/** Counts of one bucket of latencies in one period. */
interface LatencyCountRow {
  readonly start: number;
  readonly series: string;
  readonly bucket: number;
  readonly count: number;
}

/** A labelled decision, without its text. */
interface LabelRow {
  readonly seq: number;
  readonly atMs: number;
  readonly shape: number;
  readonly history: readonly OutcomeLabel[];
}

/** The entries between two numbers, the bounds included. */
interface SeqRange {
  readonly first: number;
  readonly last: number;
}

/** Blocks of one segment that are kept as text: about 1 MB each in memory. */
const BLOCKS_MAX = 4;

/**
 * Reads one segment, also while its writer appends. Every method throws with a `code` when the file fails.
 */
export class SegmentReader {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #shapes = new Map<number, RecordFacts>();
  readonly #blocks = new LRUCache<number, readonly string[]>({ max: BLOCKS_MAX });
  #lastShape = GAP_SHAPE;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  close(): void {
    this.#db.close();
  }

  /** The numbers of all entries; null for an empty segment. */
  range(): SeqRange | null {
    const row = this.#prepare('SELECT min(seq) AS first, max(seq) AS last FROM entries').get();
    if (row === undefined || row['first'] === null) return null;
    return { first: Number(row['first']), last: Number(row['last']) };
  }

  /** True where all but labelled decisions have been removed. */
  isThinned(): boolean {
    return this.#prepare("SELECT value FROM meta WHERE name = 'thinned'").get() !== undefined;
  }

  /** The facts of every shape, by number. */
  shapes(): ReadonlyMap<number, RecordFacts> {
    for (const { id, text } of this.#prepare('SELECT id, text FROM shapes WHERE id > ?').all(
      this.#lastShape,
    )) {
      this.#shapes.set(Number(id), JSON.parse(String(text)) as RecordFacts);
      this.#lastShape = Math.max(this.#lastShape, Number(id));
    }
    return this.#shapes;
  }

  /** The number of the decision with an id; null without one. */
  seqOf(id: Uint8Array | string): number | null {
    const sql = `SELECT seq FROM entries WHERE id = ? AND shape <> ${GAP_SHAPE}`;
    const row = this.#prepare(sql).get(id);
    return row === undefined ? null : Number(row['seq']);
  }

  /** The newest entries below a number, newest first. */
  entriesBelow(seq: number, limit: number): EntryRow[] {
    const sql = 'SELECT seq, at, shape FROM entries WHERE seq < ? ORDER BY seq DESC LIMIT ?';
    return this.#prepare(sql).all(seq, limit).map(toEntryRow);
  }

  /** The same of one shape. */
  entriesOfShape(shape: number, seq: number, limit: number): EntryRow[] {
    const sql = 'SELECT seq, at, shape FROM entries WHERE shape = ? AND seq < ? ORDER BY seq DESC LIMIT ?';
    return this.#prepare(sql).all(shape, seq, limit).map(toEntryRow);
  }

  /** The same of one hash; another hash may have the same key. */
  entriesOfSubject(part: number, hash: Uint8Array | string, seq: number, limit: number): EntryRow[] {
    const sql = `SELECT seq, at, shape FROM subjects JOIN entries USING (seq)
      WHERE part = ? AND hash = ? AND seq < ? ORDER BY seq DESC LIMIT ?`;
    return this.#prepare(sql).all(part, hash, seq, limit).map(toEntryRow);
  }

  /** The texts of up to `limit` entries above a number, oldest first. */
  textsAbove(seq: number, limit: number): (readonly [seq: number, text: string])[] {
    const seqs = this.#prepare('SELECT seq FROM entries WHERE seq > ? ORDER BY seq LIMIT ?').all(seq, limit);
    return seqs.map((row) => [Number(row['seq']), this.textOf(Number(row['seq']))]);
  }

  /** The text of an entry. */
  textOf(seq: number): string {
    const tail = this.#prepare('SELECT body FROM tail WHERE seq = ?').get(seq);
    if (tail !== undefined) return String(tail['body']);
    const sql = 'SELECT first FROM blocks WHERE first <= ? ORDER BY first DESC LIMIT 1';
    const first = Number(this.#prepare(sql).get(seq)?.['first']);
    const text = this.#textsOfBlock(first)[seq - first];
    if (text === undefined) throw Object.assign(new Error('an entry without its text'), { code: 'DAMAGED' });
    return text;
  }

  /** A number above all entries that can be of before a time. */
  seqAbove(untilMs: number): number {
    const sql = 'SELECT max(seq) AS seq FROM entries WHERE seq > ? AND at < ?';
    const tail = this.#prepare(sql).get(this.#lastBlocked(), untilMs)?.['seq'] ?? null;
    const blocked = this.#prepare('SELECT max(last) AS last FROM blocks WHERE min_at < ?').get(untilMs);
    return Number(tail ?? blocked?.['last'] ?? 0) + 1;
  }

  /** A number at or below all entries that can be of a time or later. */
  seqFrom(sinceMs: number): number {
    const last = this.#lastBlocked();
    const row = this.#prepare('SELECT min(first) AS first FROM blocks WHERE max_at >= ?').get(sinceMs);
    return Number(row?.['first'] ?? last + 1);
  }

  #lastBlocked(): number {
    return Number(this.#prepare('SELECT max(last) AS last FROM blocks').get()?.['last'] ?? 0);
  }

  /** Counts of the periods of one length that begin in a span. */
  counts(periodMs: number, sinceMs: number, untilMs: number): ShapeCountRow[] {
    const sql = 'SELECT start, shape, count FROM counts WHERE period = ? AND start >= ? AND start < ?';
    const rows = this.#prepare(sql).all(periodMs, sinceMs, untilMs);
    return rows.map(({ start, shape, count }) => ({
      start: Number(start),
      shape: Number(shape),
      count: Number(count),
    }));
  }

  /** The same of latencies. */
  latencies(periodMs: number, sinceMs: number, untilMs: number): LatencyCountRow[] {
    const sql =
      'SELECT start, series, bucket, count FROM latencies WHERE period = ? AND start >= ? AND start < ?';
    const rows = this.#prepare(sql).all(periodMs, sinceMs, untilMs);
    return rows.map(({ start, series, bucket, count }) => ({
      start: Number(start),
      series: String(series),
      bucket: Number(bucket),
      count: Number(count),
    }));
  }

  /** The labels of a decision, the latest last. */
  labelsOf(seq: number): readonly OutcomeLabel[] {
    const row = this.#prepare('SELECT history FROM labels WHERE seq = ?').get(seq);
    return row === undefined ? [] : (JSON.parse(String(row['history'])) as OutcomeLabel[]);
  }

  /** The labelled decisions of a span. */
  labels(sinceMs: number, untilMs: number): LabelRow[] {
    const sql = `SELECT seq, labels.at, shape, history FROM labels JOIN entries USING (seq)
      WHERE labels.at >= ? AND labels.at < ?`;
    const rows = this.#prepare(sql).all(sinceMs, untilMs);
    return rows.map((row) => ({ ...toEntryRow(row), history: JSON.parse(String(row['history'])) }));
  }

  #textsOfBlock(first: number): readonly string[] {
    const kept = this.#blocks.get(first);
    if (kept !== undefined) return kept;
    const body = this.#prepare('SELECT body FROM blocks WHERE first = ?').get(first)?.['body'];
    const texts = body instanceof Uint8Array ? readBlock(body) : [];
    this.#blocks.set(first, texts);
    return texts;
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function toEntryRow({ seq, at, shape }: Readonly<Record<string, unknown>>): EntryRow {
  return { seq: Number(seq), atMs: Number(at), shape: Number(shape) };
}
