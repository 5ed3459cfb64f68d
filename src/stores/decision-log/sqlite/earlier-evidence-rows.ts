import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoredEvidence } from './evidence-blocks.ts';
import type { RowValue } from './row-columns.ts';

/** Evidence that is read together: what stands side by side was written, and is asked for, together. */
const ROWS_TOGETHER = 500;

/** Such groups that are kept, about 50 KB each: evidence is first asked for in the order of its numbers. */
const GROUPS_MAX = 16;

type EvidenceRow = readonly [id: number, form: number, numbers: string];

/** Reads the evidence of a file of version 5 or 6 without its hashes: each piece is a row of its own. */
export class EarlierEvidenceRows {
  readonly #some: StatementSync;
  /** By the number of the first, divided by how many are read together. */
  readonly #rows = new Map<number, readonly EvidenceRow[]>();

  constructor(db: DatabaseSync) {
    this.#some = db.prepare('SELECT id, form, numbers FROM evidence WHERE id >= ? AND id < ? ORDER BY id');
    this.#some.setReturnArrays(true);
  }

  /** The evidence with a number; undefined without one. */
  find(id: number): Pick<StoredEvidence, 'form' | 'numberAt'> | undefined {
    const row = this.#rowOf(id);
    if (row === undefined) return undefined;
    const [, form, text] = row;
    let numbers: readonly RowValue[] | null = null;
    return {
      form,
      numberAt: (place) => {
        numbers ??= JSON.parse(text) as RowValue[];
        return numbers[place];
      },
    };
  }

  /** Numbers of evidence follow each other, from 1, unless some of it was removed. */
  #rowOf(id: number): EvidenceRow | undefined {
    const group = Math.floor(id / ROWS_TOGETHER);
    let rows = this.#rows.get(group);
    if (rows === undefined) {
      if (this.#rows.size >= GROUPS_MAX) this.#rows.clear();
      const first = group * ROWS_TOGETHER;
      rows = this.#some.all(Math.max(first, 1), first + ROWS_TOGETHER) as unknown as readonly EvidenceRow[];
      this.#rows.set(group, rows);
    }
    const row = rows[group === 0 ? id - 1 : id % ROWS_TOGETHER];
    return row?.[0] === id ? row : rows.find(([own]) => own === id);
  }
}
