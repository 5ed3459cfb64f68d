import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import { EvidenceBlock, type EvidenceParts } from './evidence-block.ts';
import type { RowValue } from './row-columns.ts';

/** A piece of evidence, of which is read what is asked for. */
export interface StoredEvidence {
  readonly form: number;
  /** One of its numbers; undefined where it has no such one. */
  numberAt(place: number): RowValue | undefined;
  parts(): EvidenceParts;
}

/** Blocks that are kept as they are read: about 60 KB each. */
const BLOCKS_MAX = 4;

type TailRow = readonly [form: number, numbers: string, hashes: unknown];
type BlockRow = readonly [first: number, last: number, body: unknown];

/** Reads the evidence of one segment, also while its writer adds more. `schema` is where an attached one stands. */
export class EvidenceBlocks {
  readonly #tail: StatementSync;
  readonly #block: StatementSync;
  readonly #last: StatementSync;
  readonly #blocks = new LRUCache<number, { readonly first: number; readonly block: EvidenceBlock }>({
    max: BLOCKS_MAX,
  });
  /** All evidence up to this number stands in blocks. */
  #blockedTo = 0;
  #latest: { readonly first: number; readonly block: EvidenceBlock } | null = null;

  constructor(db: DatabaseSync, schema = 'main') {
    this.#tail = db.prepare(`SELECT form, numbers, hashes FROM ${schema}.evidence WHERE id = ?`);
    this.#block = db.prepare(
      `SELECT first, last, body FROM ${schema}.evidence_blocks WHERE first <= ? ORDER BY first DESC LIMIT 1`,
    );
    this.#last = db.prepare(`SELECT last FROM ${schema}.evidence_blocks ORDER BY first DESC LIMIT 1`);
    for (const statement of [this.#tail, this.#block, this.#last]) statement.setReturnArrays(true);
  }

  /** The number of the last piece that stands in a block. */
  lastInBlocks(): number {
    const row = this.#last.get() as unknown as readonly [number] | undefined;
    this.#blockedTo = row?.[0] ?? 0;
    return this.#blockedTo;
  }

  /** The evidence with a number; undefined without one. Throws with a `code` where its block is damaged. */
  find(id: number): StoredEvidence | undefined {
    // What leaves the tail is in a block by then.
    const tail = id > this.#blockedTo ? this.#findInTail(id) : undefined;
    if (tail !== undefined) return tail;
    const found = this.#blockOf(id);
    const piece = id - (found?.first ?? 0);
    if (found === undefined || piece >= found.block.length) return undefined;
    const { block } = found;
    return {
      form: block.formAt(piece),
      numberAt: (place) => block.numberAt(piece, place),
      parts: () => block.at(piece),
    };
  }

  #findInTail(id: number): StoredEvidence | undefined {
    if (id <= this.lastInBlocks()) return undefined;
    const row = this.#tail.get(id) as unknown as TailRow | undefined;
    if (row === undefined) return undefined;
    const parts = toParts(row);
    return { form: parts.form, numberAt: (place) => parts.numbers[place], parts: () => parts };
  }

  #blockOf(id: number) {
    const latest = this.#latest;
    if (latest !== null && id >= latest.first && id < latest.first + latest.block.length) return latest;
    for (const known of this.#blocks.values())
      if (id >= known.first && id < known.first + known.block.length) {
        this.#blocks.get(known.first);
        this.#latest = known;
        return known;
      }
    const row = this.#block.get(id) as unknown as BlockRow | undefined;
    if (row === undefined || id > row[1] || !(row[2] instanceof Uint8Array)) return undefined;
    const read = { first: row[0], block: new EvidenceBlock(row[2]) };
    this.#blocks.set(read.first, read);
    this.#latest = read;
    return read;
  }
}

/** A row of what fills no block yet. */
export function toParts([form, numbers, hashes]: TailRow): EvidenceParts {
  const bytes = hashes instanceof Uint8Array ? hashes : new Uint8Array();
  return {
    form,
    numbers: JSON.parse(numbers) as RowValue[],
    hashes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex'),
  };
}
