import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { putRecordTogether, type RecordParts, type RecordValues, takeRecordApart } from './record-form.ts';

/** Records that are kept together: about 300 KB of text, of which one is read back in a millisecond. */
export const BLOCK_RECORDS = 250;

/** Records of one block. */
export interface RecordBlock {
  /** The record at a place from 0, as it is stored; undefined beyond the last one. */
  at(place: number): unknown;
}

/**
 * The head of a block, which is compressed. Behind it stand the bytes of all records one after the other, which
 * nothing makes shorter.
 */
interface BlockHead {
  readonly forms: readonly { readonly text: string; readonly values: number; readonly texts: number }[];
  /** The form of each record. */
  readonly of: readonly number[];
  /** For each form, the numbers of its records at each place, and the differences of their times. */
  readonly numbers: readonly (readonly (readonly number[])[])[];
  readonly times: readonly (readonly (readonly number[])[])[];
  /** Of all records, one after the other. */
  readonly texts: readonly string[];
  /** The CRC-32 of the bytes behind the head. */
  readonly check: number;
}

const HEAD_AT = 4;
/** No block is larger than this when it is read: a damaged file must not fill the memory. */
const TEXT_BYTES_MAX = 256 * 1024 * 1024;
/** Of the cheapest level the heads of blocks are hardly larger than of the next ones. */
const LEVEL = 1;
const VALUE_BYTES = 16;
const VALUE_CHARS = 2 * VALUE_BYTES;

/** Makes a block of records as they are stored. */
export function toBlock(records: readonly object[]): Uint8Array {
  const parts = records.map(takeRecordApart);
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };
  const values = Buffer.from(parts.map(({ hex }) => hex).join(''), 'hex');
  const head = zstdCompressSync(JSON.stringify({ ...toHead(parts), check: crc32(values) }), { params });
  const prefix = Buffer.alloc(HEAD_AT);
  prefix.writeUInt32BE(head.length);
  return Buffer.concat([prefix, head, values]);
}

function toHead(parts: readonly RecordParts[]): Omit<BlockHead, 'check'> {
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
  const forms = [...places.keys()].map((text, place) => {
    const [first] = members[place] ?? [];
    return { text, values: (first?.hex.length ?? 0) / VALUE_CHARS, texts: first?.texts.length ?? 0 };
  });
  return {
    forms,
    of,
    numbers: members.map((group) => toColumns(group.map(({ numbers }) => numbers))),
    times: members.map((group) => toColumns(group.map(({ times }) => times)).map(toDifferences)),
    texts: parts.flatMap((record) => record.texts),
  };
}

function toColumns(rows: readonly (readonly number[])[]): number[][] {
  return (rows[0] ?? []).map((_, place) => rows.map((row) => row[place] ?? 0));
}

function toDifferences(column: readonly number[]): number[] {
  return column.map((value, place) => (place === 0 ? value : value - (column[place - 1] ?? 0)));
}

function fromDifferences(column: readonly number[]): number[] {
  let sum = 0;
  return column.map((difference) => {
    sum += difference;
    return sum;
  });
}

/** Reads a block. Throws when it is damaged. */
export function readBlock(block: Uint8Array): RecordBlock {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  const valuesAt = HEAD_AT + bytes.readUInt32BE();
  const head = JSON.parse(decompress(bytes.subarray(HEAD_AT, valuesAt))) as BlockHead;
  return new ColumnBlock(head, bytes.subarray(valuesAt));
}

function decompress(block: Uint8Array): string {
  return zstdDecompressSync(block, { maxOutputLength: TEXT_BYTES_MAX }).toString('utf8');
}

/** Where the values of one record begin. */
interface RecordPlace {
  readonly form: number;
  /** Its place among the records of its form. */
  readonly row: number;
  readonly bytesAt: number;
  readonly textsAt: number;
}

class ColumnBlock implements RecordBlock {
  readonly #head: BlockHead;
  readonly #bytes: Buffer;
  readonly #times: readonly (readonly (readonly number[])[])[];
  readonly #places: readonly RecordPlace[];

  constructor(head: BlockHead, bytes: Buffer) {
    this.#head = head;
    this.#bytes = bytes;
    this.#times = head.times.map((columns) => columns.map(fromDifferences));
    const rows = head.forms.map(() => 0);
    let [bytesAt, textsAt] = [0, 0];
    this.#places = head.of.map((form) => {
      const place = { form, row: rows[form] ?? 0, bytesAt, textsAt };
      rows[form] = place.row + 1;
      bytesAt += (head.forms[form]?.values ?? 0) * VALUE_BYTES;
      textsAt += head.forms[form]?.texts ?? 0;
      return place;
    });
    if (bytesAt !== bytes.length || crc32(bytes) !== head.check) throw damaged();
  }

  at(place: number): unknown {
    const found = this.#places[place];
    const form = this.#head.forms[found?.form ?? -1];
    return found === undefined || form === undefined
      ? undefined
      : putRecordTogether(form.text, this.#valuesOf(found));
  }

  #valuesOf({ form, row, bytesAt, textsAt }: RecordPlace): RecordValues {
    const [numbers = [], times = []] = [this.#head.numbers[form], this.#times[form]];
    let [byte, number, time, text] = [bytesAt, 0, 0, textsAt];
    const next = <Value>(value: Value | undefined): Value => {
      if (value === undefined) throw damaged();
      return value;
    };
    return {
      nextHex: () => {
        byte += VALUE_BYTES;
        return this.#bytes.toString('hex', byte - VALUE_BYTES, byte);
      },
      nextNumber: () => next(numbers[number++]?.[row]),
      nextTime: () => next(times[time++]?.[row]),
      nextText: () => next(this.#head.texts[text++]),
    };
  }
}

function damaged(): Error {
  return Object.assign(new Error('a block whose values do not fit'), { code: 'DAMAGED_BLOCK' });
}
