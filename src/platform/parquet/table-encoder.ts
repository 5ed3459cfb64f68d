import { constants, zstdCompressSync } from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { StoredColumn } from './stored-column.ts';
import { type CellValue, type TableColumn, toSchema } from './table-schema.ts';

interface TableOptions {
  readonly columns: readonly TableColumn[];
  /** Rows that are held and written together, and characters in them, each distinct text counted once. */
  readonly groupRows: number;
  readonly groupChars: number;
  /** What wrote the file, as its footer says. */
  readonly createdBy: string;
}

/** Levels above cost twice the time for a twentieth of the bytes. */
const ZSTD_LEVEL = 3;

/**
 * Encodes rows as one Parquet file, piece by piece, in pure JavaScript. It holds one row group. The pieces
 * together are the file; without the last one, which `finish` returns, no reader takes it for a file.
 */
export class TableEncoder {
  readonly #columns: readonly StoredColumn[];
  readonly #groupRows: number;
  readonly #groupChars: number;
  readonly #bytes = new ByteWriter();
  readonly #file: ParquetWriter;
  #rows = 0;
  #chars = 0;

  constructor({ columns, groupRows, groupChars, createdBy }: TableOptions) {
    this.#columns = columns.map((column) => new StoredColumn(column, groupRows));
    this.#groupRows = groupRows;
    this.#groupChars = groupChars;
    this.#file = new ParquetWriter({
      writer: this.#bytes,
      schema: toSchema(columns),
      codec: 'ZSTD',
      compressors: { ZSTD: compress },
      createdBy,
    });
  }

  /** Adds a row: a value for each column, in their order. */
  add(row: readonly CellValue[]): void {
    for (const [place, column] of this.#columns.entries()) this.#chars += column.add(row[place] ?? null);
    this.#rows += 1;
    if (this.#rows >= this.#groupRows || this.#chars >= this.#groupChars) this.#writeGroup();
  }

  /** The bytes that have come together since the last call; often none. */
  take(): Uint8Array {
    const taken = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    return taken;
  }

  /** Ends the file. Its last bytes are to be taken. */
  finish(): void {
    this.#writeGroup();
    // Writes to memory, and so at once.
    void this.#file.finish();
  }

  #writeGroup(): void {
    if (this.#rows === 0) return;
    void this.#file.write({ columnData: this.#columns.map(toSource), rowGroupSize: this.#groupRows });
    for (const column of this.#columns) column.clear();
    this.#rows = 0;
    this.#chars = 0;
  }
}

/** Read once, one column after the other: its values are in memory for that long only. */
function toSource(column: StoredColumn): { readonly name: string; readonly data: unknown[] } {
  return {
    name: column.name,
    get data() {
      return column.values();
    },
  };
}

function compress(bytes: Uint8Array): Uint8Array {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } });
}
