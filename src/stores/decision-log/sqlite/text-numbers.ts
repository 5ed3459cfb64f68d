import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';

/** Tables that number texts, from 1. */
type NumberedTable = 'shapes' | 'places' | 'actions';

/** Texts whose numbers are remembered: some kilobytes each at most. */
const REMEMBERED_MAX = 2_000;

/** Of the hash by which a text is found. */
export const KEY_BYTES = 16;

/** Numbers the texts of one table of a segment, each once. They are found by a hash: an index holds them again. */
export class TextNumbers {
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #last: StatementSync;
  readonly #known = new LRUCache<string, number>({ max: REMEMBERED_MAX });

  constructor(db: DatabaseSync, table: NumberedTable) {
    this.#insert = db.prepare(`INSERT INTO ${table} (key, text) VALUES (?, ?)`);
    this.#select = db.prepare(`SELECT id FROM ${table} WHERE key = ?`);
    this.#last = db.prepare(`SELECT max(id) AS last FROM ${table}`);
  }

  /** The number of a text, which is a new one where it has none. */
  of(text: string): number {
    const known = this.find(text);
    if (known !== null) return known;
    const number = Number(this.#insert.run(toKey(text), text).lastInsertRowid);
    this.#known.set(text, number);
    return number;
  }

  /** How many texts have a number. */
  count(): number {
    return Number(this.#last.get()?.['last'] ?? 0);
  }

  /** Null where the text has no number. */
  find(text: string): number | null {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const row = this.#select.get(toKey(text));
    if (row === undefined) return null;
    const number = Number(row['id']);
    this.#known.set(text, number);
    return number;
  }
}

function toKey(text: string): Uint8Array {
  return hash('sha256', text, 'buffer').subarray(0, KEY_BYTES);
}
