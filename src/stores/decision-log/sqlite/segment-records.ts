import type { DatabaseSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import type { LogRecord } from '../../../domain/decision-log/decision-record.ts';
import { readBlock } from './record-block.ts';
import { fromIdKey } from './record-entry.ts';
import type { RecordBlock } from './record-form.ts';
import { EvidenceReader } from './segment-evidence.ts';
import type { SegmentStatements } from './segment-statements.ts';
import { readStored, type StoredRecord } from './stored-record.ts';

/** Blocks of one segment that are kept as they are read: some 100 KB each in memory. */
const BLOCKS_MAX = 4;

/** Reads the records of one segment. */
export class SegmentRecords {
  readonly #statements: SegmentStatements;
  readonly #evidence: EvidenceReader;
  readonly #isThinned: () => boolean;
  readonly #blocks = new LRUCache<number, RecordBlock>({ max: BLOCKS_MAX });

  constructor(db: DatabaseSync, statements: SegmentStatements, isThinned: () => boolean) {
    this.#statements = statements;
    this.#evidence = new EvidenceReader(db);
    this.#isThinned = isThinned;
  }

  /** The record of an entry. Throws with a `code` where it is missing or damaged. */
  of(seq: number): LogRecord {
    const entryOf = () => {
      const row = this.#statements.of('SELECT id, subject FROM entries WHERE seq = ?').get(seq);
      return { id: fromIdKey(row?.['id']), subject: row?.['subject'] };
    };
    return readStored(this.#storedOf(seq), entryOf, (reference) => this.#evidence.signalsOf(reference));
  }

  #storedOf(seq: number): StoredRecord {
    const tail = this.#statements.of('SELECT body FROM tail WHERE seq = ?').get(seq);
    if (tail !== undefined) return JSON.parse(String(tail['body'])) as StoredRecord;
    const sql = 'SELECT first FROM blocks WHERE first <= ? ORDER BY first DESC LIMIT 1';
    const first = Number(this.#statements.of(sql).get(seq)?.['first']);
    const stored = this.#block(first)?.at(this.#isThinned() ? this.#countFrom(first, seq) : seq - first);
    if (stored === undefined)
      throw Object.assign(new Error('an entry without its record'), { code: 'DAMAGED' });
    // What was written was a record.
    return stored as StoredRecord;
  }

  /** How many entries there are from one number to before another. */
  #countFrom(first: number, seq: number): number {
    const sql = 'SELECT count(*) AS n FROM entries WHERE seq >= ? AND seq < ?';
    return Number(this.#statements.of(sql).get(first, seq)?.['n']);
  }

  #block(first: number): RecordBlock | undefined {
    const kept = this.#blocks.get(first);
    if (kept !== undefined) return kept;
    const body = this.#statements.of('SELECT body FROM blocks WHERE first = ?').get(first)?.['body'];
    if (!(body instanceof Uint8Array)) return undefined;
    const block = readBlock(body);
    this.#blocks.set(first, block);
    return block;
  }
}
