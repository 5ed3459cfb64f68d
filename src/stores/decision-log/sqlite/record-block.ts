import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { readEarlierBlock } from './earlier-record-block.ts';
import {
  putRecordTogether,
  type RecordBlock,
  type RecordParts,
  type RecordValues,
  type StoredParts,
  takeRecordApart,
} from './record-form.ts';
import { ValueColumns } from './value-columns.ts';

/** Records that are kept together: about 500 KB of text, of which one is read back in a quarter of a millisecond. */
export const BLOCK_RECORDS = 250;

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

/** Sets a block apart from one of version 5, which begins with a length below it. */
const MARK = 0x80_00_00_00;
/** The length of what is compressed, with the mark, and how long it becomes. */
const PREFIX_BYTES = 8;
/** The length of the index, before it. */
const LENGTH_BYTES = 4;
/** No block is larger than this when it is read: a damaged file must not fill the memory. */
const TEXT_BYTES_MAX = 256 * 1024 * 1024;
/** Of the cheapest level the heads of blocks are hardly larger than of the next ones. */
const LEVEL = 1;
const HASH_BYTES = 16;
const HASH_CHARS = 2 * HASH_BYTES;
/** Records of one form of which single values are read where they stand. */
const ROWS_IN_PLACE_MAX = 4;
/** Bytes that are unpacked in one piece: what zlib takes as the least, and more than most blocks have. */
const [PIECE_MIN, PIECE_MAX] = [64, 4 * 1024 * 1024];

/** Makes a block of records as they are stored. */
export function toBlock(records: readonly object[]): Uint8Array {
  const parts = records.map(takeRecordApart);
  const hashes = Buffer.from(parts.map(({ hex }) => hex).join(''), 'hex');
  const { of, members } = byForm(parts);
  const texts: Buffer[] = [];
  const forms = members.map((group): FormIndex => {
    const [first] = group;
    const form = Buffer.from(first?.form ?? '');
    const values = Buffer.from(JSON.stringify(toValues(group)));
    texts.push(form, values);
    return [form.length, values.length, (first?.hex.length ?? 0) / HASH_CHARS];
  });
  const index = Buffer.from(JSON.stringify({ of, forms, check: crc32(hashes) } satisfies BlockIndex));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(index.length);
  const head = Buffer.concat([length, index, ...texts]);
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };
  const packed = zstdCompressSync(head, { params });
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(packed.length + MARK);
  prefix.writeUInt32BE(head.length, LENGTH_BYTES);
  return Buffer.concat([prefix, packed, hashes]);
}

/** Records that have a form in common, and the place of each record's form among them. */
function byForm(parts: readonly RecordParts[]) {
  const places = new Map<string, number>();
  const members: RecordParts[][] = [];
  const of = parts.map((record) => {
    let place = places.get(record.form);
    if (place === undefined) {
      place = members.length;
      places.set(record.form, place);
      members.push([]);
    }
    members[place]?.push(record);
    return place;
  });
  return { of, members };
}

function toValues(group: readonly RecordParts[]): FormValues {
  return [
    toColumns(group.map(({ numbers }) => numbers)),
    toColumns(group.map(({ times }) => times)).map(toDifferences),
    toColumns(group.map(({ texts }) => texts)),
  ];
}

function toColumns<Value>(rows: readonly (readonly Value[])[]): Value[][] {
  // Records of one form have as many values.
  return (rows[0] ?? []).map((_, place) => rows.map((row) => row[place] as Value));
}

function toDifferences(column: readonly number[]): number[] {
  return column.map((value, place) => (place === 0 ? value : value - (column[place - 1] ?? 0)));
}

/** Reads a block, also one of a file of version 5. Throws when it is damaged. */
export function readBlock(block: Uint8Array): RecordBlock {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  const marked = bytes.readUInt32BE();
  if (marked < MARK) return readEarlierBlock(block);
  const hashesAt = PREFIX_BYTES + marked - MARK;
  const head = decompress(bytes.subarray(PREFIX_BYTES, hashesAt), bytes.readUInt32BE(LENGTH_BYTES));
  const formsAt = LENGTH_BYTES + head.readUInt32BE();
  const index = JSON.parse(head.toString('utf8', LENGTH_BYTES, formsAt)) as BlockIndex;
  return new IndexedBlock(index, head.subarray(formsAt), bytes.subarray(hashesAt));
}

/** In one piece, where it is known how long it becomes: many are put together by copying. */
function decompress(packed: Buffer, length: number): Buffer {
  const chunkSize = Math.min(Math.max(PIECE_MIN, length + 1), PIECE_MAX);
  return zstdDecompressSync(packed, { chunkSize, maxOutputLength: TEXT_BYTES_MAX });
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
