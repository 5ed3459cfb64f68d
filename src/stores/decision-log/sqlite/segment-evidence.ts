import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import { putTogether, type SignalsParts, takeApart } from './signals-form.ts';

/** What stands in a record for signals: the number of the evidence in its segment, then its times. */
export type EvidenceReference = readonly [number: number, ...times: (string | number)[]];

/** Numbers that are remembered: about 150 bytes each. */
const EVIDENCE_MAX = 50_000;
const FORMS_MAX = 10_000;
/** Evidence that a reader remembers, without its times: about 2 KB each. */
const READ_MAX = 1_000;
const KEY_BYTES = 16;

/** Keeps the evidence of one segment, each once by the hash of its content. */
export class EvidenceWriter {
  readonly #addForm: StatementSync;
  readonly #formId: StatementSync;
  readonly #add: StatementSync;
  readonly #id: StatementSync;
  readonly #known = new LRUCache<string, number>({ max: EVIDENCE_MAX });
  readonly #forms = new LRUCache<string, number>({ max: FORMS_MAX });

  constructor(db: DatabaseSync) {
    this.#addForm = db.prepare('INSERT OR IGNORE INTO forms (key, text) VALUES (?, ?)');
    this.#formId = db.prepare('SELECT id FROM forms WHERE key = ?');
    this.#add = db.prepare('INSERT OR IGNORE INTO evidence (key, form, numbers, hashes) VALUES (?, ?, ?, ?)');
    this.#id = db.prepare('SELECT id FROM evidence WHERE key = ?');
  }

  /** Keeps these signals, and gives what stands for them. */
  keep(signals: object): EvidenceReference {
    const parts = takeApart(signals);
    return [this.#idOf(parts), ...parts.times];
  }

  #idOf({ form, hashes, numbers }: SignalsParts): number {
    const formId = this.#idOfForm(form);
    const digest = digestOf(formId, numbers, hashes);
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const key = toKey(digest);
    const added = this.#add.run(key, formId, numbers, Buffer.from(hashes, 'hex'));
    const id = added.changes === 1 ? Number(added.lastInsertRowid) : Number(this.#id.get(key)?.['id']);
    this.#known.set(digest, id);
    return id;
  }

  #idOfForm(form: string): number {
    const known = this.#forms.get(form);
    if (known !== undefined) return known;
    const key = toKey(hash('sha256', form));
    this.#addForm.run(key, form);
    const id = Number(this.#formId.get(key)?.['id']);
    this.#forms.set(form, id);
    return id;
  }
}

/** Reads the evidence of one segment. */
export class EvidenceReader {
  readonly #db: DatabaseSync;
  readonly #known = new LRUCache<number, Omit<SignalsParts, 'times'>>({ max: READ_MAX });
  #find: StatementSync | null = null;

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
    // A file of before evidence was kept apart has no such table, and no reference to it.
    this.#find ??= this.#db.prepare(
      'SELECT text, numbers, hashes FROM evidence JOIN forms ON forms.id = form WHERE evidence.id = ?',
    );
    const row = this.#find.get(id);
    const hashes = row?.['hashes'];
    if (row === undefined || !(hashes instanceof Uint8Array))
      throw Object.assign(new Error('a record without its evidence'), { code: 'DAMAGED' });
    const { buffer, byteOffset, byteLength } = hashes;
    const digits = Buffer.from(buffer, byteOffset, byteLength).toString('hex');
    return { form: String(row['text']), numbers: String(row['numbers']), hashes: digits };
  }
}

/** How much evidence, and how many forms, in a schema of the database are not under the hash of what they are. */
export function countWrongKeys(db: DatabaseSync, schema: string): number {
  let count = 0;
  const forms = db.prepare(`SELECT key, text FROM ${schema}.forms`);
  for (const { key, text } of forms.iterate()) if (!isKey(key, hash('sha256', String(text)))) count += 1;
  const evidence = db.prepare(`SELECT key, form, numbers, hashes FROM ${schema}.evidence`);
  for (const { key, form, numbers, hashes } of evidence.iterate()) {
    const digits = hashes instanceof Uint8Array ? Buffer.from(hashes).toString('hex') : '';
    if (!isKey(key, digestOf(Number(form), String(numbers), digits))) count += 1;
  }
  return count;
}

function isKey(key: unknown, digest: string): boolean {
  return key instanceof Uint8Array && toKey(digest).compare(key) === 0;
}

/** `hashes` in hex digits. */
function digestOf(form: number, numbers: string, hashes: string): string {
  return hash('sha256', `${form} ${numbers} ${hashes}`);
}

function toKey(digest: string): Buffer {
  return Buffer.from(digest.slice(0, 2 * KEY_BYTES), 'hex');
}
