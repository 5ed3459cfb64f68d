import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { EntryWriter } from './entry-writer.ts';
import { EvidenceWriter } from './evidence-writer.ts';
import { BLOCK_RECORDS, toBlock } from './record-block.ts';
import type { RecordEntry } from './record-entry.ts';
import { ColumnWriter } from './segment-columns.ts';
import { COUNTED_MS, GAP_SHAPE, LAST_BATCH, THINNED } from './segment-file.ts';
import { type StoredRecord, spanOf, toStored } from './stored-record.ts';

/** A batch, as its process numbered it. */
export interface BatchName {
  /** Another one for each process. */
  readonly writer: string;
  readonly number: number;
}

/** A record whose text does not fill a block yet. */
interface TailEntry extends Pick<RecordEntry, 'atMs' | 'endMs'> {
  readonly seq: number;
  readonly stored: StoredRecord;
}

const STATEMENTS = {
  block: 'INSERT INTO blocks (first, last, min_at, max_at, body) VALUES (?, ?, ?, ?, ?)',
  tail: 'INSERT INTO tail (seq, body) VALUES (?, ?)',
  untail: 'DELETE FROM tail WHERE seq <= ?',
  count: `INSERT INTO counts (period, start, shape, count) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  latency: `INSERT INTO latencies (period, start, series, bucket, count) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  meta: 'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
} as const;

/**
 * Appends batches to one segment, each in one transaction. After an append has thrown, nothing of the batch
 * is kept and the writer is of no more use: its idea of the file may be wrong.
 */
export class SegmentWriter {
  readonly #db: DatabaseSync;
  readonly #run: Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;
  readonly #bytes: StatementSync;
  readonly #entries: EntryWriter;
  readonly #evidence: EvidenceWriter;
  #nextSeq: number;
  #tail: TailEntry[];

  /** `hasNames`: see EntryWriter; false where a file of before is written again, to compare the two. */
  constructor(db: DatabaseSync, hasNames = true) {
    this.#db = db;
    const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name, db.prepare(sql)]);
    // `Object.fromEntries` forgets that every name is there.
    this.#run = Object.fromEntries(prepared) as Record<keyof typeof STATEMENTS, StatementSync>;
    this.#bytes = db.prepare(
      'SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()',
    );
    this.#entries = new EntryWriter(db, hasNames);
    this.#evidence = new EvidenceWriter(db);
    this.#nextSeq = lastSeqOf(db) + 1;
    const tail = db.prepare('SELECT seq, body FROM tail ORDER BY seq').all();
    this.#tail = tail.map(({ seq, body }) => toTailEntry(Number(seq), String(body)));
  }

  /** Bytes of the file with what stands in the log beside it. */
  bytes(): number {
    return Number(this.#bytes.get()?.['bytes']);
  }

  /** Whether this batch is the one that was appended last. */
  holds({ writer, number }: BatchName): boolean {
    const last = this.#db.prepare('SELECT value FROM meta WHERE name = ?').get(LAST_BATCH);
    return last?.['value'] === `${writer} ${number}`;
  }

  /** Throws with a `code` of SQLite when the batch cannot be kept. */
  append({ writer, number }: BatchName, entries: readonly RecordEntry[]): void {
    inTransaction(this.#db, () => {
      this.#insert(entries);
      this.#run.meta.run(LAST_BATCH, `${writer} ${number}`);
    });
  }

  /**
   * Keeps labelled decisions of another segment, under the numbers that they have there, which rise. They are
   * neither counted nor put into chunks. Throws with a `code`.
   */
  keep(entries: readonly (readonly [seq: number, entry: RecordEntry])[]): void {
    inTransaction(this.#db, () => {
      const added = entries.map(([seq, entry]) => this.#add(seq, entry).tail);
      this.#evidence.finish();
      this.#keepTexts(added);
      this.#run.meta.run(THINNED, 'labelled');
    });
  }

  /**
   * Writes what is left to write once no more batches come. One may come all the same. Throws with a `code`.
   */
  seal(): void {
    inTransaction(this.#db, () => this.#entries.seal(this.#nextSeq - 1));
  }

  /** Closes the file. */
  close(): void {
    this.#db.close();
  }

  #insert(entries: readonly RecordEntry[]): void {
    const counts = new BatchCounts();
    const added: TailEntry[] = [];
    for (const entry of entries) {
      const { shape, tail } = this.#add(this.#nextSeq, entry);
      this.#nextSeq += 1;
      if (shape !== GAP_SHAPE) counts.add(entry, shape);
      added.push(tail);
    }
    this.#entries.finish(this.#nextSeq - 1);
    this.#evidence.finish();
    this.#keepTexts(added);
    for (const { period, start, shape, count } of counts.shapes())
      this.#run.count.run(period, start, shape, count);
    for (const { period, start, series, bucket, count } of counts.latencies())
      this.#run.latency.run(period, start, series, bucket, count);
  }

  #add(seq: number, entry: RecordEntry): { readonly shape: number; readonly tail: TailEntry } {
    const shape = this.#entries.add(seq, entry);
    const stored = toStored(entry, (signals) => this.#evidence.keep(signals));
    return { shape, tail: { seq, atMs: entry.atMs, endMs: entry.endMs, stored } };
  }

  /** Fills blocks first, so that a text that fills one is written once. */
  #keepTexts(added: readonly TailEntry[]): void {
    const before = this.#tail.length;
    const texts = [...this.#tail, ...added];
    let blocked = 0;
    for (; texts.length - blocked >= BLOCK_RECORDS; blocked += BLOCK_RECORDS)
      this.#writeBlock(texts.slice(blocked, blocked + BLOCK_RECORDS));
    const lastBlocked = texts[blocked - 1];
    if (before > 0 && lastBlocked !== undefined) this.#run.untail.run(lastBlocked.seq);
    for (const { seq, stored } of texts.slice(Math.max(blocked, before)))
      this.#run.tail.run(seq, JSON.stringify(stored));
    this.#tail = texts.slice(blocked);
  }

  #writeBlock(entries: readonly TailEntry[]): void {
    const minMs = Math.min(...entries.map(({ atMs }) => atMs));
    const maxMs = Math.max(...entries.map(({ endMs }) => endMs));
    const [first, last] = [entries[0]?.seq ?? 0, entries.at(-1)?.seq ?? 0];
    const body = toBlock(entries.map(({ stored }) => stored));
    this.#run.block.run(first, last, minMs, maxMs, body);
  }
}

/** What SegmentWriter.seal does, for a file of an earlier version, to which nothing is appended. */
export function sealSegment(db: DatabaseSync): void {
  try {
    inTransaction(db, () => new ColumnWriter(db).writeRest(lastSeqOf(db)));
  } finally {
    db.close();
  }
}

function inTransaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function lastSeqOf(db: DatabaseSync): number {
  return Number(db.prepare('SELECT max(seq) AS seq FROM entries').get()?.['seq'] ?? 0);
}

function toTailEntry(seq: number, text: string): TailEntry {
  const stored = JSON.parse(text) as StoredRecord;
  const [atMs, endMs] = spanOf(stored);
  return { seq, atMs, endMs, stored };
}

interface ShapeCount {
  readonly period: number;
  readonly start: number;
  readonly shape: number;
  count: number;
}

interface LatencyCount {
  readonly period: number;
  readonly start: number;
  readonly series: string;
  readonly bucket: number;
  count: number;
}

/** The counts of one batch, so that each row is written once. */
class BatchCounts {
  readonly #shapes = new Map<string, ShapeCount>();
  readonly #latencies = new Map<string, LatencyCount>();

  add({ atMs, latencies }: RecordEntry, shape: number): void {
    for (const ms of COUNTED_MS) {
      const start = atMs - (atMs % ms);
      raise(this.#shapes, `${ms} ${start} ${shape}`, () => ({ period: ms, start, shape, count: 0 }));
      for (const [series, bucket] of latencies)
        raise(this.#latencies, `${ms} ${start} ${bucket} ${series}`, () => ({
          period: ms,
          start,
          series,
          bucket,
          count: 0,
        }));
    }
  }

  shapes(): Iterable<ShapeCount> {
    return this.#shapes.values();
  }

  latencies(): Iterable<LatencyCount> {
    return this.#latencies.values();
  }
}

function raise<Counted extends { count: number }>(
  rows: Map<string, Counted>,
  key: string,
  create: () => Counted,
): void {
  let row = rows.get(key);
  if (row === undefined) {
    row = create();
    rows.set(key, row);
  }
  row.count += 1;
}
