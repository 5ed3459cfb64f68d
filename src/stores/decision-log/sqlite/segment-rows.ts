import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import { readBlock } from './record-block.ts';
import { type RecordForm, type StoredParts, takeRecordApart } from './record-form.ts';

/** An entry without its record. */
export interface EntryRow {
  readonly seq: number;
  readonly atMs: number;
  readonly shape: number;
  readonly place: number;
  readonly action: number;
}

/** Entries that are stored together, in their order. */
interface RowBlock {
  readonly rows: readonly EntryRow[];
  /** The forms of their records. */
  readonly forms: readonly RecordForm[];
  /** The record of an entry by its place among them. Throws with a `code` where it is missing. */
  partsAt(place: number): StoredParts;
}

type Row = readonly [seq: number, at: number, shape: number, place: number, action: number];

/** Reads all entries of one segment with their records taken apart, block by block. */
export class SegmentRows {
  readonly #db: DatabaseSync;
  readonly #rows: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#rows = db.prepare(
      'SELECT seq, at, shape, place, action FROM entries WHERE seq >= ? AND seq <= ? ORDER BY seq',
    );
    this.#rows.setReturnArrays(true);
  }

  /** Blocks that can have entries of a time, oldest first, and what fills none. */
  *blocks({ since, until }: Pick<RecordFilter, 'since' | 'until'>): Generator<RowBlock> {
    const sinceMs = since === undefined ? 0 : Date.parse(since);
    const untilMs = until === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(until);
    const sql = 'SELECT first, last, body FROM blocks WHERE max_at >= ? AND min_at < ? ORDER BY first';
    for (const { first, last, body } of this.#db.prepare(sql).iterate(sinceMs, untilMs)) {
      const block = readBlock(body as Uint8Array);
      yield {
        rows: this.#rowsOf(Number(first), Number(last)),
        forms: block.forms,
        partsAt: (place) => block.partsAt(place) ?? missing(),
      };
    }
    yield* this.#tail();
  }

  *#tail(): Generator<RowBlock> {
    const tail = this.#db.prepare('SELECT seq, body FROM tail ORDER BY seq').all();
    if (tail.length === 0) return;
    const rows = this.#rowsOf(Number(tail[0]?.['seq']), Number(tail.at(-1)?.['seq']));
    const parts = tail.map(({ body }) => takeRecordApart(JSON.parse(String(body)) as object));
    yield {
      rows,
      forms: parts.map(({ members }) => members),
      partsAt: (place) => {
        const { numbers, times } = parts[place] ?? missing();
        return { form: place, numberAt: (at) => numbers[at], timeAt: (at) => times[at] };
      },
    };
  }

  #rowsOf(first: number, last: number): EntryRow[] {
    const rows = this.#rows.all(first, last) as unknown as readonly Row[];
    return rows.map(([seq, atMs, shape, place, action]) => ({ seq, atMs, shape, place, action }));
  }
}

function missing(): never {
  throw Object.assign(new Error('an entry without its record'), { code: 'DAMAGED' });
}
