import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import type { LogRecord } from '../../../domain/decision-log/decision-record.ts';
import type { DelayedLabel } from '../../../domain/decision-log/group-keys.ts';
import { type Label, NOT_LABELLED, type OutcomeLabel } from '../../../domain/decision-log/outcome-label.ts';
import type { RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import type { RecordPlace } from '../../../domain/decision-log/record-place.ts';
import { OTHER_ACTION, type SegmentDictionary } from './entry-matches.ts';
import { NumberedTexts, toFacts, toPlace } from './numbered-texts.ts';
import { readBlock } from './record-block.ts';
import { fromIdKey } from './record-entry.ts';
import type { RecordBlock } from './record-form.ts';
import { ColumnReader } from './segment-columns.ts';
import { EvidenceReader } from './segment-evidence.ts';
import { GAP_SHAPE, THINNED, versionOf } from './segment-file.ts';
import {
  DELAYED_LABELS,
  LABEL_ROWS,
  type LabelRow,
  readDelayedLabels,
  readLabelRows,
} from './segment-labels.ts';
import { readStored, type StoredRecord } from './stored-record.ts';

/** An entry with its subject; see packSubject. */
interface EntryFacts {
  readonly atMs: number;
  readonly shape: number;
  readonly subject: unknown;
}

/** An entry about a subject. */
export interface SubjectEntry extends EntryFacts {
  readonly seq: number;
}

type SubjectEntryRow = readonly [seq: number, atMs: number, shape: number, subject: unknown];

/** Counts of one shape in one period. */
type ShapeCountRow = readonly [start: number, shape: number, count: number];

/** Counts of one bucket of latencies in one period. */
type LatencyCountRow = readonly [start: number, series: string, bucket: number, count: number];

/** The entries between two numbers, the bounds included. */
interface SeqRange {
  readonly first: number;
  readonly last: number;
}

/** Blocks of one segment that are kept as they are read: some 100 KB each in memory. */
const BLOCKS_MAX = 4;

/**
 * Reads one segment, also while its writer appends. Every method throws with a `code` when the file fails.
 */
export class SegmentReader implements SegmentDictionary {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #columns: ColumnReader;
  readonly #evidence: EvidenceReader;
  readonly #shapes: NumberedTexts<RecordFacts>;
  readonly #places: NumberedTexts<RecordPlace>;
  readonly #actions: NumberedTexts<string>;
  readonly #blocks = new LRUCache<number, RecordBlock>({ max: BLOCKS_MAX });
  #isThinned: boolean | null = null;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#columns = new ColumnReader(db);
    this.#evidence = new EvidenceReader(db);
    const readTexts = (table: string) => (above: number) =>
      this.#prepare(`SELECT id, text FROM ${table} WHERE id > ? ORDER BY id`).all(above);
    this.#shapes = new NumberedTexts(readTexts('shapes'), 0, toFacts);
    this.#places = new NumberedTexts(readTexts('places'), 0, toPlace);
    this.#actions = new NumberedTexts(readTexts('actions'), OTHER_ACTION, (text) => text);
  }

  close(): void {
    this.#db.close();
  }

  /** The numbers of all entries; null for an empty segment. */
  range(): SeqRange | null {
    // Each by itself: both in one aggregate would look at every entry.
    const sql = 'SELECT (SELECT min(seq) FROM entries) AS first, (SELECT max(seq) FROM entries) AS last';
    const row = this.#prepare(sql).get();
    if (row === undefined || row['first'] === null) return null;
    return { first: Number(row['first']), last: Number(row['last']) };
  }

  /** True where all but labelled decisions have been removed. */
  isThinned(): boolean {
    // It is so from the beginning, or never.
    this.#isThinned ??= this.#prepare(`SELECT value FROM meta WHERE name = '${THINNED}'`).get() !== undefined;
    return this.#isThinned;
  }

  /** Changes when a writer has changed the file. */
  dataVersion(): number {
    return Number(this.#prepare('PRAGMA data_version').get()?.['data_version']);
  }

  /** The version of its tables. */
  version(): number {
    return versionOf(this.#db);
  }

  /** The facts of every shape, by number. */
  shapes(): ReadonlyMap<number, RecordFacts> {
    return this.#shapes.read();
  }

  places(): ReadonlyMap<number, RecordPlace> {
    return this.#places.read();
  }

  actions(): ReadonlyMap<number, string> {
    return this.#actions.read();
  }

  /** The labels in force, by the number of the decision. */
  labelsInForce(): ReadonlyMap<number, Label> {
    const rows = this.#prepare(
      `SELECT seq, label FROM labels WHERE label <> '${NOT_LABELLED}' ORDER BY seq`,
    ).all();
    return new Map(rows.map(({ seq, label }) => [Number(seq), label as Label]));
  }

  /** The same with the time that each took. */
  delayedLabels(): ReadonlyMap<number, DelayedLabel> {
    return readDelayedLabels(this.#prepare(DELAYED_LABELS));
  }

  /** The numbers of the first labelled decisions above a number, in their order. */
  labelledAbove(seq: number, limit: number): number[] {
    return this.#prepare('SELECT seq FROM labels WHERE seq > ? ORDER BY seq LIMIT ?')
      .all(seq, limit)
      .map(toSeq);
  }

  /** What is kept of an entry beside its text. Throws with a `code` where there is none. */
  entryOf(seq: number): EntryFacts {
    const statement = this.#prepareForRows('SELECT at, shape, subject FROM entries WHERE seq = ?');
    const row = statement.get(seq) as unknown as readonly [number, number, unknown] | undefined;
    if (row === undefined) throw Object.assign(new Error('an entry that is not there'), { code: 'DAMAGED' });
    const [atMs, shape, subject] = row;
    return { atMs, shape, subject };
  }

  /** The sketches of the hours that begin in a span. */
  sketches(sinceMs: number, untilMs: number): { readonly part: number; readonly data: Uint8Array }[] {
    const sql = 'SELECT part, data FROM sketches WHERE start >= ? AND start < ?';
    const rows = this.#prepare(sql).all(sinceMs, untilMs);
    return rows.flatMap(({ part, data }) =>
      data instanceof Uint8Array ? [{ part: Number(part), data }] : [],
    );
  }

  /** The entries by columns. */
  get columns(): ColumnReader {
    return this.#columns;
  }

  /** The number of the decision with an id; null without one. */
  seqOf(id: Uint8Array | string): number | null {
    const sql = `SELECT seq FROM entries WHERE id = ? AND shape <> ${GAP_SHAPE}`;
    const row = this.#prepare(sql).get(id);
    return row === undefined ? null : Number(row['seq']);
  }

  /** The numbers of the newest gaps below a number, newest first. */
  gapsBelow(seq: number, limit: number): number[] {
    const sql = 'SELECT seq FROM entries WHERE shape = 0 AND seq < ? ORDER BY seq DESC LIMIT ?';
    return this.#prepare(sql).all(seq, limit).map(toSeq);
  }

  /** The same of the decisions that have one hash; another hash may have the same key. */
  entriesOfSubject(part: number, hash: Uint8Array | string, seq: number, limit: number): number[] {
    const sql = 'SELECT seq FROM subjects WHERE part = ? AND hash = ? AND seq < ? ORDER BY seq DESC LIMIT ?';
    return this.#prepare(sql).all(part, hash, seq, limit).map(toSeq);
  }

  /** What is kept of the newest of these decisions beside their texts, newest first. */
  factsOfSubject(part: number, hash: Uint8Array | string, limit: number): SubjectEntry[] {
    const sql = `SELECT seq, at, shape, subject FROM subjects JOIN entries USING (seq)
      WHERE part = ? AND hash = ? ORDER BY subjects.seq DESC LIMIT ?`;
    const rows = this.#prepareForRows(sql).all(part, hash, limit) as unknown as SubjectEntryRow[];
    return rows.map(([seq, atMs, shape, subject]) => ({ seq, atMs, shape, subject }));
  }

  /** The texts of up to `limit` entries above a number, oldest first. */
  textsAbove(seq: number, limit: number): (readonly [seq: number, text: string])[] {
    const seqs = this.#prepare('SELECT seq FROM entries WHERE seq > ? ORDER BY seq LIMIT ?').all(seq, limit);
    return seqs.map(({ seq }) => [Number(seq), JSON.stringify(this.recordOf(Number(seq)))]);
  }

  /** The record of an entry. */
  recordOf(seq: number): LogRecord {
    const entryOf = () => {
      const row = this.#prepare('SELECT id, subject FROM entries WHERE seq = ?').get(seq);
      return { id: fromIdKey(row?.['id']), subject: row?.['subject'] };
    };
    return readStored(this.#storedOf(seq), entryOf, (reference) => this.#evidence.signalsOf(reference));
  }

  #storedOf(seq: number): StoredRecord {
    const tail = this.#prepare('SELECT body FROM tail WHERE seq = ?').get(seq);
    if (tail !== undefined) return JSON.parse(String(tail['body'])) as StoredRecord;
    const sql = 'SELECT first FROM blocks WHERE first <= ? ORDER BY first DESC LIMIT 1';
    const first = Number(this.#prepare(sql).get(seq)?.['first']);
    const stored = this.#block(first)?.at(this.isThinned() ? this.#countFrom(first, seq) : seq - first);
    if (stored === undefined)
      throw Object.assign(new Error('an entry without its record'), { code: 'DAMAGED' });
    // What was written was a record.
    return stored as StoredRecord;
  }

  /** How many entries there are from one number to before another. */
  #countFrom(first: number, seq: number): number {
    const sql = 'SELECT count(*) AS n FROM entries WHERE seq >= ? AND seq < ?';
    return Number(this.#prepare(sql).get(first, seq)?.['n']);
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
    const sql = 'SELECT last FROM blocks ORDER BY first DESC LIMIT 1';
    return Number(this.#prepare(sql).get()?.['last'] ?? 0);
  }

  /** Counts of the periods of one length that begin in a span. */
  counts(periodMs: number, sinceMs: number, untilMs: number): readonly ShapeCountRow[] {
    const sql = 'SELECT start, shape, count FROM counts WHERE period = ? AND start >= ? AND start < ?';
    return this.#prepareForRows(sql).all(periodMs, sinceMs, untilMs) as unknown as ShapeCountRow[];
  }

  /** The same of latencies. */
  latencies(periodMs: number, sinceMs: number, untilMs: number): readonly LatencyCountRow[] {
    const sql =
      'SELECT start, series, bucket, count FROM latencies WHERE period = ? AND start >= ? AND start < ?';
    return this.#prepareForRows(sql).all(periodMs, sinceMs, untilMs) as unknown as LatencyCountRow[];
  }

  /** The labels of a decision, the latest last. */
  labelsOf(seq: number): readonly OutcomeLabel[] {
    const row = this.#prepare('SELECT history FROM labels WHERE seq = ?').get(seq);
    return row === undefined ? [] : (JSON.parse(String(row['history'])) as OutcomeLabel[]);
  }

  /** The labelled decisions of a span. */
  labels(sinceMs: number, untilMs: number): LabelRow[] {
    return readLabelRows(this.#prepare(LABEL_ROWS), sinceMs, untilMs);
  }

  #block(first: number): RecordBlock | undefined {
    const kept = this.#blocks.get(first);
    if (kept !== undefined) return kept;
    const body = this.#prepare('SELECT body FROM blocks WHERE first = ?').get(first)?.['body'];
    if (!(body instanceof Uint8Array)) return undefined;
    const block = readBlock(body);
    this.#blocks.set(first, block);
    return block;
  }

  /** For many rows, each of which is a list: an object takes longer to make. */
  #prepareForRows(sql: string): StatementSync {
    const statement = this.#prepare(sql);
    statement.setReturnArrays(true);
    return statement;
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

function toSeq({ seq }: Readonly<Record<string, unknown>>): number {
  return Number(seq);
}
