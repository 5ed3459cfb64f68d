import { crc32 } from 'node:zlib';
import { putRecordTogether, type RecordBlock, type RecordValues, type StoredParts } from './record-form.ts';
import { ValueColumns } from './value-columns.ts';

/**
 * What a block says of its parts. Behind it stand, for each form, its text and the values of its records; and
 * behind what is compressed, the bytes of all records one after the other, which nothing makes shorter.
 */
interface BlockIndex {
  readonly forms: readonly FormIndex[];
  /** The form of each record. */
  readonly of: readonly number[];
  /** The CRC-32 of the bytes behind what is compressed. */
  readonly check: number;
}

/** How long the text of a form and the values of its records are, and how many hashes each record has. */
type FormIndex = readonly [formBytes: number, valueBytes: number, hashes: number];

/** The values of the records of one form, in one list for each place: the differences of times. */
type FormValues = readonly [numbers: number[][], times: number[][], texts: string[][]];

/** The length of the index, before it. */
const LENGTH_BYTES = 4;
const HASH_BYTES = 16;
/** Records of one form of which single values are read where they stand. */
const ROWS_IN_PLACE_MAX = 4;

/** Reads a block of a file of version 6: what is compressed of it, and the bytes behind that. */
export function readIndexedBlock(head: Buffer, hashes: Buffer): RecordBlock {
  const formsAt = LENGTH_BYTES + head.readUInt32BE();
  const index = JSON.parse(head.toString('utf8', LENGTH_BYTES, formsAt)) as BlockIndex;
  return new IndexedBlock(index, head.subarray(formsAt), hashes);
}

/** Where the parts of one record stand. */
interface RecordPlace {
  readonly form: number;
  /** Its place among the records of its form. */
  readonly row: number;
  readonly hashesAt: number;
}

/** Reads of a block what its records ask for: each time the text of one form, and the values of its records. */
class IndexedBlock implements RecordBlock {
  readonly #index: BlockIndex;
  readonly #texts: Buffer;
  readonly #hashes: Buffer;
  readonly #textsAt: readonly number[];
  readonly #places: readonly RecordPlace[];
  /** How many records each form has. */
  readonly #rows: readonly number[];
  /** By form, as they are asked for. */
  readonly #columns: Pick<ValueColumns, 'numberAt' | 'timeAt'>[] = [];

  constructor(index: BlockIndex, texts: Buffer, hashes: Buffer) {
    this.#index = index;
    this.#texts = texts;
    this.#hashes = hashes;
    let [textsAt, hashesAt] = [0, 0];
    this.#textsAt = index.forms.map(([formBytes, valueBytes]) => {
      const at = textsAt;
      textsAt += formBytes + valueBytes;
      return at;
    });
    const rows = index.forms.map(() => 0);
    this.#places = index.of.map((form) => {
      const place = { form, row: rows[form] ?? 0, hashesAt };
      rows[form] = place.row + 1;
      hashesAt += (index.forms[form]?.[2] ?? 0) * HASH_BYTES;
      return place;
    });
    this.#rows = rows;
    if (textsAt !== texts.length || hashesAt !== hashes.length || crc32(hashes) !== index.check)
      throw damaged();
  }

  at(place: number): unknown {
    const found = this.#places[place];
    if (found === undefined) return undefined;
    return putRecordTogether(this.#formAt(found.form), this.#valuesOf(found, this.#readValues(found.form)));
  }

  get forms(): readonly string[] {
    return this.#index.forms.map((_, form) => this.#formAt(form));
  }

  partsAt(place: number): StoredParts | undefined {
    const found = this.#places[place];
    if (found === undefined) return undefined;
    const { form, row } = found;
    this.#columns[form] ??= this.#columnsOf(form);
    const columns = this.#columns[form];
    return {
      form,
      numberAt: (at) => columns.numberAt(at, row),
      timeAt: (at) => columns.timeAt(at, row),
    };
  }

  /** Of the few records of a form few values are asked for; of many records all of them, one after the other. */
  #columnsOf(form: number): Pick<ValueColumns, 'numberAt' | 'timeAt'> {
    if ((this.#rows[form] ?? 0) <= ROWS_IN_PLACE_MAX) {
      const [at, end] = this.#valuesPlace(form);
      return new ValueColumns(this.#texts.subarray(0, end), at);
    }
    const [numbers, times] = this.#readValues(form);
    return {
      numberAt: (at, row) => numbers[at]?.[row],
      timeAt: (at, row) => sumOf(times[at], row),
    };
  }

  #formAt(form: number): string {
    const [formBytes = 0] = this.#index.forms[form] ?? [];
    const at = this.#textsAt[form] ?? 0;
    return this.#texts.toString('utf8', at, at + formBytes);
  }

  #readValues(form: number): FormValues {
    return JSON.parse(this.#texts.toString('utf8', ...this.#valuesPlace(form))) as FormValues;
  }

  #valuesPlace(form: number): [at: number, end: number] {
    const [formBytes, valueBytes] = this.#index.forms[form] ?? [0, 0];
    const at = (this.#textsAt[form] ?? 0) + formBytes;
    return [at, at + valueBytes];
  }

  #valuesOf({ row, hashesAt }: RecordPlace, [numbers, times, texts]: FormValues): RecordValues {
    let [hash, number, time, text] = [hashesAt, 0, 0, 0];
    return {
      nextHex: () => {
        hash += HASH_BYTES;
        return this.#hashes.toString('hex', hash - HASH_BYTES, hash);
      },
      nextNumber: () => given(numbers[number++]?.[row]),
      nextTime: () => given(sumOf(times[time++], row)),
      nextText: () => given(texts[text++]?.[row]),
    };
  }
}

/** The value at a place of a column of differences. */
function sumOf(differences: readonly number[] | undefined, row: number): number | undefined {
  if (differences === undefined || row >= differences.length) return undefined;
  let sum = 0;
  for (let place = 0; place <= row; place += 1) sum += differences[place] ?? 0;
  return sum;
}

function given<Value>(value: Value | undefined): Value {
  if (value === undefined) throw damaged();
  return value;
}

function damaged(): Error {
  return Object.assign(new Error('a block whose values do not fit'), { code: 'DAMAGED_BLOCK' });
}
