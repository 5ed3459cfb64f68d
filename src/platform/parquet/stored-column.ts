import type { CellValue, TableColumn } from './table-schema.ts';

/** Stands for null; values are numbered from 1. */
const NULL = 0;

/**
 * The values of one column for one row group. Each distinct value is kept once: most columns have few, and
 * texts that came from different JSON documents are different objects.
 */
export class StoredColumn {
  readonly name: string;
  readonly #type: TableColumn['type'];
  readonly #places: Uint32Array;
  readonly #numbers = new Map<CellValue, number>();
  #distinct: unknown[] = [null];
  #count = 0;

  constructor({ name, type }: TableColumn, rowsMax: number) {
    this.name = name;
    this.#type = type;
    this.#places = new Uint32Array(rowsMax);
  }

  /** Adds a value, and says how many characters more are held for it. */
  add(value: CellValue): number {
    // Lists are the same where their texts are.
    const key = typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
    const known = key === null ? NULL : this.#numbers.get(key);
    this.#places[this.#count] = known ?? this.#distinct.length;
    this.#count += 1;
    if (known !== undefined) return 0;
    this.#numbers.set(key, this.#distinct.length);
    this.#distinct.push(this.#type === 'int64' || this.#type === 'timestamp' ? BigInt(Number(value)) : value);
    return typeof key === 'string' ? key.length : 0;
  }

  /** All values, as the writer of Parquet wants them. */
  values(): unknown[] {
    const distinct = this.#distinct;
    return Array.from(this.#places.subarray(0, this.#count), (place) => distinct[place]);
  }

  clear(): void {
    this.#numbers.clear();
    this.#distinct = [null];
    this.#count = 0;
  }
}
