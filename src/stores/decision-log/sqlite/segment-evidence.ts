import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import type { EvidenceParts } from './evidence-block.ts';
import { EvidenceBlocks, toParts } from './evidence-blocks.ts';
import type { EvidenceReference } from './evidence-writer.ts';
import { EVIDENCE_BLOCKS_VERSION, versionOf } from './segment-file.ts';
import { putTogether, type SignalsParts } from './signals-form.ts';

/** Evidence that a reader remembers, without its times: about 2 KB each. */
const READ_MAX = 1_000;
const FORMS_MAX = 1_000;

/** Reads the evidence of one segment. */
export class EvidenceReader {
  readonly #db: DatabaseSync;
  readonly #known = new LRUCache<number, Omit<SignalsParts, 'times'>>({ max: READ_MAX });
  readonly #forms = new LRUCache<number, string>({ max: FORMS_MAX });
  #find: ((id: number) => EvidenceParts | undefined) | null = null;
  #form: StatementSync | null = null;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** The signals that a reference stands for. Throws with a `code` where there are none. */
  signalsOf([id, ...times]: EvidenceReference): object {
    let parts = this.#known.get(id);
    if (parts === undefined) {
      parts = this.#read(id);
      this.#known.set(id, parts);
    }
    return putTogether({ ...parts, times });
  }

  #read(id: number): Omit<SignalsParts, 'times'> {
    this.#find ??= toFind(this.#db);
    const parts = this.#find(id);
    const form = parts === undefined ? undefined : this.#formOf(parts.form);
    if (parts === undefined || form === undefined)
      throw Object.assign(new Error('a record without its evidence'), { code: 'DAMAGED' });
    return { ...parts, form };
  }

  #formOf(id: number): string | undefined {
    const known = this.#forms.get(id);
    if (known !== undefined) return known;
    this.#form ??= this.#db.prepare('SELECT text FROM forms WHERE id = ?');
    const text = this.#form.get(id)?.['text'];
    if (typeof text !== 'string') return undefined;
    this.#forms.set(id, text);
    return text;
  }
}

/** What finds evidence by its number: each piece is a row of its own in an earlier file. */
function toFind(db: DatabaseSync): (id: number) => EvidenceParts | undefined {
  if (versionOf(db) >= EVIDENCE_BLOCKS_VERSION) {
    const blocks = new EvidenceBlocks(db);
    return (id) => blocks.find(id)?.parts();
  }
  const find = db.prepare('SELECT form, numbers, hashes FROM evidence WHERE id = ?');
  return (id) => {
    const row = find.get(id);
    if (row === undefined) return undefined;
    return toParts([Number(row['form']), String(row['numbers']), row['hashes']]);
  };
}
