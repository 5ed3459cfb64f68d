import { crc32, zstdDecompressSync } from 'node:zlib';
import { putRecordTogether, type RecordBlock, type RecordValues, type StoredParts } from './record-form.ts';

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
const VALUE_BYTES = 16;

function fromDifferences(column: readonly number[]): number[] {
  let sum = 0;
  return column.map((difference) => {
    sum += difference;
    return sum;
  });
}

/** Reads a block of a file of version 5. Throws when it is damaged. */
export function readEarlierBlock(block: Uint8Array): RecordBlock {
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

  get forms(): readonly string[] {
    return this.#head.forms.map(({ text }) => text);
  }

  partsAt(place: number): StoredParts | undefined {
    const found = this.#places[place];
    if (found === undefined) return undefined;
    const { form, row } = found;
    return {
      form,
      numberAt: (at) => this.#head.numbers[form]?.[at]?.[row],
      timeAt: (at) => this.#times[form]?.[at]?.[row],
    };
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
