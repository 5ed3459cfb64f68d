import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import { BLOCK_EVIDENCE, type EvidenceParts, toEvidenceBlock } from './evidence-block.ts';
import { toParts } from './evidence-blocks.ts';
import { digestOf, toFormKey, toKeyNumber } from './evidence-key.ts';
import { evidenceSaltOf } from './segment-file.ts';
import { type SignalsParts, takeApart } from './signals-form.ts';

/** What stands in a record for signals: the number of the evidence in its segment, then its times. */
export type EvidenceReference = readonly [number: number, ...times: (string | number)[]];

/** Numbers that are remembered: about 150 bytes each. */
const EVIDENCE_MAX = 50_000;
const FORMS_MAX = 10_000;

/** Evidence that fills no block yet. */
interface TailPiece extends EvidenceParts {
  readonly id: number;
}

/** Keeps the evidence of one segment, each once by the salted hash of its content. */
export class EvidenceWriter {
  readonly #addForm: StatementSync;
  readonly #formId: StatementSync;
  readonly #addKey: StatementSync;
  readonly #id: StatementSync;
  readonly #block: StatementSync;
  readonly #addTail: StatementSync;
  readonly #untail: StatementSync;
  readonly #known = new LRUCache<string, number>({ max: EVIDENCE_MAX });
  readonly #forms = new LRUCache<string, number>({ max: FORMS_MAX });
  readonly #salt: string;
  #nextId: number;
  /** Of these the first ones stand in the table of what fills no block. */
  #tail: TailPiece[];
  #written: number;

  constructor(db: DatabaseSync) {
    this.#salt = evidenceSaltOf(db);
    this.#addForm = db.prepare('INSERT OR IGNORE INTO forms (key, text) VALUES (?, ?)');
    this.#formId = db.prepare('SELECT id FROM forms WHERE key = ?');
    this.#addKey = db.prepare('INSERT OR IGNORE INTO evidence_keys (key, id) VALUES (?, ?)');
    this.#id = db.prepare('SELECT id FROM evidence_keys WHERE key = ?');
    this.#block = db.prepare('INSERT INTO evidence_blocks (first, last, body) VALUES (?, ?, ?)');
    this.#addTail = db.prepare('INSERT INTO evidence (id, form, numbers, hashes) VALUES (?, ?, ?, ?)');
    this.#untail = db.prepare('DELETE FROM evidence WHERE id <= ?');
    const rows = db.prepare('SELECT id, form, numbers, hashes FROM evidence ORDER BY id').all();
    this.#tail = rows.map(({ id, form, numbers, hashes }) => ({
      id: Number(id),
      ...toParts([Number(form), String(numbers), hashes]),
    }));
    this.#written = this.#tail.length;
    const blocked = db.prepare('SELECT last FROM evidence_blocks ORDER BY first DESC LIMIT 1').get();
    this.#nextId = (this.#tail.at(-1)?.id ?? Number(blocked?.['last'] ?? 0)) + 1;
  }

  /** Keeps these signals, and gives what stands for them. Call `finish` before the transaction ends. */
  keep(signals: object): EvidenceReference {
    const parts = takeApart(signals);
    return [this.#idOf(parts), ...parts.times];
  }

  /** Writes what `keep` has taken in: what fills a block into blocks. */
  finish(): void {
    let blocked = 0;
    for (; this.#tail.length - blocked >= BLOCK_EVIDENCE; blocked += BLOCK_EVIDENCE) {
      const pieces = this.#tail.slice(blocked, blocked + BLOCK_EVIDENCE);
      this.#block.run(pieces[0]?.id ?? 0, pieces.at(-1)?.id ?? 0, toEvidenceBlock(pieces));
    }
    const last = this.#tail[blocked - 1];
    if (this.#written > 0 && last !== undefined) this.#untail.run(last.id);
    for (const { id, form, numbers, hashes } of this.#tail.slice(Math.max(blocked, this.#written)))
      this.#addTail.run(id, form, JSON.stringify(numbers), Buffer.from(hashes, 'hex'));
    this.#tail = this.#tail.slice(blocked);
    this.#written = this.#tail.length;
  }

  #idOf({ form: text, hashes, numbers }: SignalsParts): number {
    const form = this.#idOfForm(text);
    const digest = digestOf({ form, hashes, numbers }, this.#salt);
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const id = this.#idOfKey(toKeyNumber(digest));
    if (id === this.#nextId) {
      this.#tail.push({ id, form, numbers, hashes });
      this.#nextId += 1;
    }
    this.#known.set(digest, id);
    return id;
  }

  /** The next number where there is none yet. */
  #idOfKey(key: bigint): number {
    if (this.#addKey.run(key, this.#nextId).changes === 1) return this.#nextId;
    return Number(this.#id.get(key)?.['id']);
  }

  #idOfForm(form: string): number {
    const known = this.#forms.get(form);
    if (known !== undefined) return known;
    const key = toFormKey(form);
    this.#addForm.run(key, form);
    const id = Number(this.#formId.get(key)?.['id']);
    this.#forms.set(form, id);
    return id;
  }
}
