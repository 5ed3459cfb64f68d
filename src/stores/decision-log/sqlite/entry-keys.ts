import type { DatabaseSync } from 'node:sqlite';
import type { SubjectPartName } from '../../../domain/decision-log/subject-parts.ts';
import { PART_NUMBERS } from './entry-subjects.ts';
import { toEarlierHashKey, toSubjectKey } from './record-entry.ts';
import { EVIDENCE_BLOCKS_VERSION, GAP_SHAPE, versionOf } from './segment-file.ts';
import type { SegmentStatements } from './segment-statements.ts';

/** An entry with its subject; see packSubject. */
export interface EntryFacts {
  readonly atMs: number;
  readonly shape: number;
  readonly subject: unknown;
}

/** An entry about a subject. */
export interface SubjectEntry extends EntryFacts {
  readonly seq: number;
}

type SubjectEntryRow = readonly [seq: number, atMs: number, shape: number, subject: unknown];

const IS_DECISION = `id = ?1 AND shape <> ${GAP_SHAPE}`;

/** Finds the entries of one segment by ids and by hashes of subjects. */
export class EntryKeys {
  readonly #db: DatabaseSync;
  readonly #statements: SegmentStatements;
  #isEarlier: boolean | null = null;

  constructor(db: DatabaseSync, statements: SegmentStatements) {
    this.#db = db;
    this.#statements = statements;
  }

  /** See SegmentReader, likewise the others. */
  seqOf(id: Uint8Array | string): number | null {
    const begins = this.#hasEarlierKeys() ? '' : 'substr(id, 1, 8) = substr(?1, 1, 8) AND';
    const row = this.#statements.forRows(`SELECT seq FROM entries WHERE ${begins} ${IS_DECISION}`).get(id);
    return (row as readonly [number] | undefined)?.[0] ?? null;
  }

  entriesOfSubject(part: SubjectPartName, hash: string, seq: number, limit: number): number[] {
    const { where, values } = this.#keyOf(part, hash);
    const sql = `SELECT seq FROM subjects WHERE ${where} AND seq < ? ORDER BY seq DESC LIMIT ?`;
    const rows = this.#statements.forRows(sql).all(...values, seq, limit) as unknown as readonly (readonly [
      number,
    ])[];
    return rows.map(([found]) => found);
  }

  factsOfSubject(part: SubjectPartName, hash: string, limit: number): SubjectEntry[] {
    const { where, values } = this.#keyOf(part, hash);
    const sql = `SELECT seq, at, shape, subject FROM subjects JOIN entries USING (seq)
      WHERE ${where} ORDER BY subjects.seq DESC LIMIT ?`;
    const rows = this.#statements.forRows(sql).all(...values, limit) as unknown as readonly SubjectEntryRow[];
    return rows.map(([seq, atMs, shape, subject]) => ({ seq, atMs, shape, subject }));
  }

  #keyOf(part: SubjectPartName, hash: string): { where: string; values: (number | string | Uint8Array)[] } {
    if (!this.#hasEarlierKeys()) return { where: 'key = ?', values: [toSubjectKey(part, hash)] };
    return { where: 'part = ? AND hash = ?', values: [PART_NUMBERS[part], toEarlierHashKey(hash)] };
  }

  /** True for a file of version 5 or 6, in which subjects and ids are found by what they are. */
  #hasEarlierKeys(): boolean {
    this.#isEarlier ??= versionOf(this.#db) < EVIDENCE_BLOCKS_VERSION;
    return this.#isEarlier;
  }
}
