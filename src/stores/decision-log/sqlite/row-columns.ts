import { type PlanesHead, packPlanes, readPlanes } from './number-planes.ts';

/** A value of a row: texts stand among numbers. */
export type RowValue = number | string;

/** Of a column: how its numbers are written, or the one text that it has, or how many bytes of JSON it takes. */
type ColumnHead = PlanesHead | readonly [text: string] | readonly [jsonBytes: number];

/** The columns of rows that have as many values; of a few rows only how many bytes of JSON they take. */
export type GroupHead = readonly ColumnHead[] | number;

/** Rows that are kept column by column, beside the bytes of the columns. */
interface PackedRows {
  readonly groups: readonly GroupHead[];
  readonly bytes: Buffer;
}

/** Of fewer rows the heads of the columns are longer than what they save. */
const ROWS_MIN = 12;

/**
 * Packs rows column by column: those of a group, which is numbered from 0 as they come, have as many values. The
 * rows of a place have mostly the same meaning, and always the same length, whatever else differs.
 */
export function packRows(rows: readonly (readonly RowValue[])[], groupOf: readonly number[]): PackedRows {
  const members: (readonly RowValue[])[][] = [];
  for (let row = 0; row < rows.length; row += 1) {
    const group = groupOf[row] ?? 0;
    members[group] ??= [];
    members[group].push(rows[row] as readonly RowValue[]);
  }
  const pieces: Buffer[] = [];
  const groups = members.map((group): GroupHead => {
    const columns = (group[0] ?? []).map((_, place) => group.map((row) => row[place] as RowValue));
    if (group.length >= ROWS_MIN) return columns.map((column) => packColumn(column, pieces));
    const text = Buffer.from(JSON.stringify(columns));
    pieces.push(text);
    return text.length;
  });
  return { groups, bytes: Buffer.concat(pieces) };
}

function packColumn(column: readonly RowValue[], pieces: Buffer[]): ColumnHead {
  const [first] = column;
  if (typeof first === 'string' && column.every((value) => value === first)) return [first];
  const packed = column.every((value) => typeof value === 'number') ? packPlanes(column) : null;
  if (packed !== null) {
    pieces.push(packed.bytes);
    return packed.head;
  }
  const text = Buffer.from(JSON.stringify(column));
  pieces.push(text);
  return [text.length];
}

interface Group {
  readonly head: GroupHead;
  readonly rows: number;
  /** Where the bytes of each of its columns begin; of the whole group where that is JSON. */
  readonly at: readonly number[];
  /** What was parsed of it: columns, by their places. */
  readonly parsed: (readonly RowValue[] | undefined)[];
}

/** Rows that were packed, of which single values are read. Throws with a `code` where the bytes are not theirs. */
export class RowColumns {
  readonly #bytes: Buffer;
  readonly #groups: readonly Group[];
  /** For each row its group, and its place among the rows of that. */
  readonly #groupOf: readonly number[];
  readonly #placeOf: readonly number[];

  constructor({ groups, bytes }: PackedRows, groupOf: readonly number[]) {
    this.#bytes = bytes;
    this.#groupOf = groupOf;
    const rows = groups.map(() => 0);
    this.#placeOf = groupOf.map((group) => {
      const place = rows[group];
      if (place === undefined) throw damaged();
      rows[group] = place + 1;
      return place;
    });
    let end = 0;
    this.#groups = groups.map((head, group): Group => {
      const count = rows[group] ?? 0;
      const at: number[] = [];
      for (const bytesOf of typeof head === 'number'
        ? [head]
        : head.map((column) => lengthOf(column, count))) {
        at.push(end);
        end += bytesOf;
      }
      return { head, rows: count, at, parsed: [] };
    });
    if (end !== bytes.length) throw damaged();
  }

  /** Undefined where the row has no such value. */
  valueAt(row: number, place: number): RowValue | undefined {
    const group = this.#groups[this.#groupOf[row] ?? -1];
    const own = this.#placeOf[row] ?? 0;
    if (group === undefined) return undefined;
    if (typeof group.head === 'number') return this.#parseGroup(group, group.head)[place]?.[own];
    const head = group.head[place];
    if (head === undefined) return undefined;
    if (head.length > 1)
      return readPlanes(head as PlanesHead, this.#bytes, group.at[place] ?? 0, own, group.rows);
    const [only] = head;
    if (typeof only === 'string') return only;
    const at = group.at[place] ?? 0;
    group.parsed[place] ??= this.#parse(at, at + only) as readonly RowValue[];
    return group.parsed[place][own];
  }

  #parseGroup({ parsed, at: [at = 0] }: Group, length: number): Group['parsed'] {
    if (parsed.length === 0) parsed.push(...(this.#parse(at, at + length) as readonly RowValue[][]));
    return parsed;
  }

  #parse(from: number, to: number): unknown {
    return JSON.parse(this.#bytes.toString('utf8', from, to));
  }
}

function lengthOf(head: ColumnHead, rows: number): number {
  if (head.length > 1) return Number(head[0]) * rows;
  return typeof head[0] === 'number' ? head[0] : 0;
}

function damaged(): Error {
  return Object.assign(new Error('columns that do not fit their rows'), { code: 'DAMAGED_BLOCK' });
}
