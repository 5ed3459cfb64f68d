import type { DatabaseSync } from 'node:sqlite';
import type { LogRecord } from '../../../domain/decision-log/decision-record.ts';
import type { DelayedLabel } from '../../../domain/decision-log/group-keys.ts';
import { type Label, NOT_LABELLED, type OutcomeLabel } from '../../../domain/decision-log/outcome-label.ts';
import type { RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import type { RecordPlace } from '../../../domain/decision-log/record-place.ts';
import type { SubjectPartName } from '../../../domain/decision-log/subject-parts.ts';
import { type EntryFacts, EntryKeys, type SubjectEntry } from './entry-keys.ts';
import type { SegmentDictionary } from './entry-matches.ts';
import { ColumnReader } from './segment-columns.ts';
import {
  contentOf,
  type EntrySpan,
  rangeOf,
  type SeqRange,
  seqAbove,
  seqFrom,
  spanOf,
} from './segment-extent.ts';
import { evidenceSaltOf, THINNED, versionOf } from './segment-file.ts';
import {
  DELAYED_LABELS,
  LABELS_AMONG,
  type LabelRow,
  readDelayedLabels,
  readLabelRows,
} from './segment-labels.ts';
import { SegmentRecords } from './segment-records.ts';
import { SegmentStatements } from './segment-statements.ts';
import type { PlaceColumn, PlacePart, SegmentSummary, SegmentSums } from './segment-summary.ts';
import { SegmentTexts } from './segment-texts.ts';

/** Counts of one shape in one period. */
type ShapeCountRow = readonly [start: number, shape: number, count: number];

/** Counts of one bucket of latencies in one period. */
type LatencyCountRow = readonly [start: number, series: string, bucket: number, count: number];

/**
 * Reads one segment, also while its writer appends. Every method throws with a `code` when the file fails.
 */
export class SegmentReader implements SegmentDictionary {
  readonly #db: DatabaseSync;
  readonly #statements: SegmentStatements;
  readonly #columns: ColumnReader;
  readonly #keys: EntryKeys;
  readonly #records: SegmentRecords;
  readonly #texts: SegmentTexts;
  #isThinned: boolean | null = null;
  #summary: SegmentSummary | null = null;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#statements = new SegmentStatements(db);
    this.#columns = new ColumnReader(db, () => this.#summary);
    this.#keys = new EntryKeys(db, this.#statements);
    this.#records = new SegmentRecords(db, this.#statements, () => this.isThinned());
    this.#texts = new SegmentTexts(this.#statements, () => this.#summary);
  }

  close(): void {
    this.#db.close();
  }

  /** Reads from a summary what that says, from now on. */
  useSummary(summary: SegmentSummary): void {
    this.#summary = summary;
  }

  get hasSummary(): boolean {
    return this.#summary !== null;
  }

  /** Tells this content of the segment from every other; see contentOf. */
  content(inode: number): string {
    return contentOf(this.#statements, inode);
  }

  /** The numbers of all entries; null for an empty segment. */
  range(): SeqRange | null {
    return rangeOf(this.#statements);
  }

  /** When its entries were made; null for an empty segment. */
  span(): EntrySpan | null {
    return spanOf(this.#statements);
  }

  /** True where all but labelled decisions have been removed. */
  isThinned(): boolean {
    // It is so from the beginning, or never.
    this.#isThinned ??=
      this.#statements.of(`SELECT value FROM meta WHERE name = '${THINNED}'`).get() !== undefined;
    return this.#isThinned;
  }

  /** Changes when a writer has changed the file. */
  dataVersion(): number {
    return Number(this.#statements.of('PRAGMA data_version').get()?.['data_version']);
  }

  /** The version of its tables. */
  version(): number {
    return versionOf(this.#db);
  }

  /** What the hashes of its evidence begin with; see evidenceSaltOf. */
  evidenceSalt(): string {
    return evidenceSaltOf(this.#db);
  }

  /** The facts of every shape, by number. */
  shapes(): ReadonlyMap<number, RecordFacts> {
    return this.#texts.shapes();
  }

  places(): ReadonlyMap<number, RecordPlace> {
    return this.#texts.places();
  }

  actions(): ReadonlyMap<number, string> {
    return this.#texts.actions();
  }

  /** One part of all places; null where no summary tells. */
  placeColumn(part: PlacePart): PlaceColumn | null {
    return this.#texts.placeColumn(part);
  }

  /** What one shape stands for. */
  factsOf(shape: number): RecordFacts | undefined {
    return this.#texts.factsOf(shape);
  }

  /** The keys of all shapes by their numbers, which begin with 1. */
  shapeKeys(): readonly Uint8Array[] {
    return this.#texts.shapeKeys();
  }

  /** The counts of its hours; null where no summary tells. */
  sums(): SegmentSums | null {
    return this.#wholeSummary()?.sums() ?? null;
  }

  /** The summary where it is of all entries. */
  #wholeSummary(): SegmentSummary | null {
    const summary = this.#summary;
    return summary !== null && this.range()?.last === summary.last ? summary : null;
  }

  /** The labels in force, by the number of the decision. */
  labelsInForce(): ReadonlyMap<number, Label> {
    const rows = this.#statements
      .of(`SELECT seq, label FROM labels WHERE label <> '${NOT_LABELLED}' ORDER BY seq`)
      .all();
    return new Map(rows.map(({ seq, label }) => [Number(seq), label as Label]));
  }

  /** The same of some decisions alone. */
  labelsAmong(seqs: readonly number[]): ReadonlyMap<number, Label> {
    const rows = this.#statements.of(LABELS_AMONG).all(JSON.stringify(seqs));
    return new Map(rows.map(({ seq, label }) => [Number(seq), label as Label]));
  }

  /** The subjects of some entries; see packSubject. */
  subjectsOf(seqs: readonly number[]): unknown[] {
    // One statement for all takes half as long as one for each.
    const sql = 'SELECT subject FROM json_each(?) CROSS JOIN entries ON seq = value';
    const rows = this.#statements.forRows(sql).all(JSON.stringify(seqs)) as unknown as readonly [unknown][];
    return rows.map(([subject]) => subject);
  }

  /** The same with the time that each took. */
  delayedLabels(): ReadonlyMap<number, DelayedLabel> {
    return readDelayedLabels(this.#statements.of(DELAYED_LABELS));
  }

  /** The numbers of the first labelled decisions above a number, in their order. */
  labelledAbove(seq: number, limit: number): number[] {
    return this.#statements
      .of('SELECT seq FROM labels WHERE seq > ? ORDER BY seq LIMIT ?')
      .all(seq, limit)
      .map(toSeq);
  }

  /** What is kept of an entry beside its text. Throws with a `code` where there is none. */
  entryOf(seq: number): EntryFacts {
    const statement = this.#statements.forRows('SELECT at, shape, subject FROM entries WHERE seq = ?');
    const row = statement.get(seq) as unknown as readonly [number, number, unknown] | undefined;
    if (row === undefined) throw Object.assign(new Error('an entry that is not there'), { code: 'DAMAGED' });
    const [atMs, shape, subject] = row;
    return { atMs, shape, subject };
  }

  /** The sketches of the hours that begin in a span. */
  sketches(sinceMs: number, untilMs: number): { readonly part: number; readonly data: Uint8Array }[] {
    const sql = 'SELECT part, data FROM sketches WHERE start >= ? AND start < ?';
    const rows = this.#statements.of(sql).all(sinceMs, untilMs);
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
    return this.#keys.seqOf(id);
  }

  /** The numbers of the newest gaps below a number, newest first. */
  gapsBelow(seq: number, limit: number): number[] {
    const sql = 'SELECT seq FROM entries WHERE shape = 0 AND seq < ? ORDER BY seq DESC LIMIT ?';
    return this.#statements.of(sql).all(seq, limit).map(toSeq);
  }

  /** The same of the decisions that have one hash; another hash may have the same key. */
  entriesOfSubject(part: SubjectPartName, hash: string, seq: number, limit: number): number[] {
    return this.#keys.entriesOfSubject(part, hash, seq, limit);
  }

  /** What is kept of the newest of these decisions beside their texts, newest first. */
  factsOfSubject(part: SubjectPartName, hash: string, limit: number): SubjectEntry[] {
    return this.#keys.factsOfSubject(part, hash, limit);
  }

  /** The texts of up to `limit` entries above a number, oldest first. */
  textsAbove(seq: number, limit: number): (readonly [seq: number, text: string])[] {
    const sql = 'SELECT seq FROM entries WHERE seq > ? ORDER BY seq LIMIT ?';
    const seqs = this.#statements.of(sql).all(seq, limit).map(toSeq);
    return seqs.map((one) => [one, JSON.stringify(this.recordOf(one))]);
  }

  /** The record of an entry. */
  recordOf(seq: number): LogRecord {
    return this.#records.of(seq);
  }

  /** A number above all entries that can be of before a time. */
  seqAbove(untilMs: number): number {
    return seqAbove(this.#statements, untilMs);
  }

  /** A number at or below all entries that can be of a time or later. */
  seqFrom(sinceMs: number): number {
    return seqFrom(this.#statements, sinceMs);
  }

  /** Counts of the periods of one length that begin in a span. */
  counts(periodMs: number, sinceMs: number, untilMs: number): readonly ShapeCountRow[] {
    const sql = 'SELECT start, shape, count FROM counts WHERE period = ? AND start >= ? AND start < ?';
    return this.#statements.forRows(sql).all(periodMs, sinceMs, untilMs) as unknown as ShapeCountRow[];
  }

  /** The same of latencies. */
  latencies(periodMs: number, sinceMs: number, untilMs: number): readonly LatencyCountRow[] {
    const sql =
      'SELECT start, series, bucket, count FROM latencies WHERE period = ? AND start >= ? AND start < ?';
    return this.#statements.forRows(sql).all(periodMs, sinceMs, untilMs) as unknown as LatencyCountRow[];
  }

  /** The labels of a decision, the latest last. */
  labelsOf(seq: number): readonly OutcomeLabel[] {
    const row = this.#statements.of('SELECT history FROM labels WHERE seq = ?').get(seq);
    return row === undefined ? [] : (JSON.parse(String(row['history'])) as OutcomeLabel[]);
  }

  /** The labelled decisions of a span. */
  labels(sinceMs: number, untilMs: number): LabelRow[] {
    const shapes = this.#wholeSummary()?.column('shape') ?? null;
    return readLabelRows(this.#statements, [sinceMs, untilMs], shapes);
  }
}

function toSeq({ seq }: Readonly<Record<string, unknown>>): number {
  return Number(seq);
}
