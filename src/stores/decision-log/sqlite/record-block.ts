import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { readEarlierBlock } from './earlier-record-block.ts';
import { readIndexedBlock } from './indexed-record-block.ts';
import {
  putRecordTogether,
  type RecordBlock,
  type RecordParts,
  type RecordValues,
  type StoredParts,
  takeRecordApart,
} from './record-form.ts';
import { type GroupHead, packRows, RowColumns, type RowValue } from './row-columns.ts';
import { TextNumbering } from './text-numbering.ts';

/** Records that are kept together: about 500 KB of text, of which one is read back in a quarter of a millisecond. */
export const BLOCK_RECORDS = 250;

/**
 * What a block says of its parts. Behind it stand the texts of members, each once, and the columns of values; and
 * behind what is compressed, the bytes of all records one after the other, which nothing makes shorter.
 */
interface BlockIndex {
  /** How many bytes the text of each member takes. */
  readonly members: readonly number[];
  readonly forms: readonly FormIndex[];
  /** The form of each record. */
  readonly of: readonly number[];
  /** Of the values of records whose forms have as many of each kind. */
  readonly groups: readonly GroupHead[];
  /** The CRC-32 of the bytes behind what is compressed. */
  readonly check: number;
}

/** The group of its records, how many values they have of each kind but texts, and its members. */
type FormIndex = readonly [
  group: number,
  hashes: number,
  numbers: number,
  times: number,
  members: readonly number[],
];

/** Sets a block apart from one of version 5, which begins with a length below it. */
const MARK = 0x80_00_00_00;
/** Sets it apart from one of version 6. */
const COLUMNS_MARK = 0x40_00_00_00;
/** The length of what is compressed, with the marks, and how long it becomes. */
const PREFIX_BYTES = 8;
/** The length of the index, before it. */
const LENGTH_BYTES = 4;
/** No block is larger than this when it is read: a damaged file must not fill the memory. */
const TEXT_BYTES_MAX = 256 * 1024 * 1024;
/** Of the cheapest level the heads of blocks are hardly larger than of the next ones. */
const LEVEL = 1;
const HASH_BYTES = 16;
const HASH_CHARS = 2 * HASH_BYTES;
/** Bytes that are unpacked in one piece: what zlib takes as the least, and more than most blocks have. */
const [PIECE_MIN, PIECE_MAX] = [64, 4 * 1024 * 1024];

/** Makes a block of records as they are stored. */
export function toBlock(records: readonly object[]): Uint8Array {
  const parts = records.map(takeRecordApart);
  const hashes = Buffer.from(parts.map(({ hex }) => hex).join(''), 'hex');
  const { members, forms, of } = numberForms(parts);
  const rows = parts.map(({ numbers, times, texts }): RowValue[] => [...numbers, ...times, ...texts]);
  const { groups, bytes } = packRows(
    rows,
    of.map((form) => forms[form]?.[0] ?? 0),
  );
  const texts = members.map((text) => Buffer.from(text));
  const lengths = texts.map(({ length }) => length);
  const index: BlockIndex = { members: lengths, forms, of, groups, check: crc32(hashes) };
  const text = Buffer.from(JSON.stringify(index));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(text.length);
  const head = Buffer.concat([length, text, ...texts, bytes]);
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };
  const packed = zstdCompressSync(head, { params });
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(packed.length + MARK + COLUMNS_MARK);
  prefix.writeUInt32BE(head.length, LENGTH_BYTES);
  return Buffer.concat([prefix, packed, hashes]);
}

/** The different forms of records, of which most differ in few members, and the form of each record. */
function numberForms(parts: readonly RecordParts[]) {
  const [members, groups] = [new TextNumbering(), new TextNumbering()];
  const places = new Map<string, number>();
  const forms: FormIndex[] = [];
  const of = parts.map((record) => {
    const list = record.members.map((member) => members.of(member));
    const key = list.join();
    let place = places.get(key);
    if (place === undefined) {
      place = forms.length;
      places.set(key, place);
      const [hashes, numbers, times] = [
        record.hex.length / HASH_CHARS,
        record.numbers.length,
        record.times.length,
      ];
      const group = groups.of(`${numbers} ${times} ${record.texts.length}`);
      forms.push([group, hashes, numbers, times, list]);
    }
    return place;
  });
  return { members: members.texts, forms, of };
}

/** Reads a block, also one of a file of version 5 or 6. Throws when it is damaged. */
export function readBlock(block: Uint8Array): RecordBlock {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  const marked = bytes.readUInt32BE();
  if (marked < MARK) return readEarlierBlock(block);
  const hasColumns = marked >= MARK + COLUMNS_MARK;
  const hashesAt = PREFIX_BYTES + marked - MARK - (hasColumns ? COLUMNS_MARK : 0);
  const head = decompress(bytes.subarray(PREFIX_BYTES, hashesAt), bytes.readUInt32BE(LENGTH_BYTES));
  const hashes = bytes.subarray(hashesAt);
  return hasColumns ? new ColumnBlock(head, hashes) : readIndexedBlock(head, hashes);
}

/** In one piece, where it is known how long it becomes: many are put together by copying. */
function decompress(packed: Buffer, length: number): Buffer {
  const chunkSize = Math.min(Math.max(PIECE_MIN, length + 1), PIECE_MAX);
  return zstdDecompressSync(packed, { chunkSize, maxOutputLength: TEXT_BYTES_MAX });
}

/** Reads of a block what its records ask for: the texts of their members, and single values. */
class ColumnBlock implements RecordBlock {
  readonly #index: BlockIndex;
  readonly #texts: Buffer;
  /** Where the text of each member begins, and where those of all end. */
  readonly #textsAt: readonly number[];
  readonly #members: string[] = [];
  readonly #columns: RowColumns;
  readonly #hashes: Buffer;
  /** Where the bytes of each record begin. */
  readonly #hashesAt: readonly number[];

  constructor(head: Buffer, hashes: Buffer) {
    const textsAt = LENGTH_BYTES + head.readUInt32BE();
    this.#index = JSON.parse(head.toString('utf8', LENGTH_BYTES, textsAt)) as BlockIndex;
    const { members, forms, of, groups, check } = this.#index;
    this.#texts = head;
    this.#textsAt = toPlaces(textsAt, members);
    const groupOf = of.map((form) => forms[form]?.[0] ?? -1);
    this.#columns = new RowColumns({ groups, bytes: head.subarray(this.#textsAt.at(-1)) }, groupOf);
    this.#hashes = hashes;
    this.#hashesAt = toPlaces(
      0,
      of.map((form) => (forms[form]?.[1] ?? 0) * HASH_BYTES),
    );
    if (this.#hashesAt.at(-1) !== hashes.length || crc32(hashes) !== check) throw damaged();
  }

  get forms(): readonly (readonly string[])[] {
    return this.#index.forms.map((form) => this.#membersOf(form));
  }

  at(place: number): unknown {
    const form = this.#formOf(place);
    if (form === undefined) return undefined;
    return putRecordTogether(`{${this.#membersOf(form).join()}}`, this.#valuesOf(place, form));
  }

  partsAt(place: number): StoredParts | undefined {
    const form = this.#formOf(place);
    if (form === undefined) return undefined;
    const [, , numbers, times] = form;
    // Numbers stand first, then times.
    const valueAt = (at: number, before: number, count: number) =>
      at < count ? (this.#columns.valueAt(place, before + at) as number | undefined) : undefined;
    return {
      form: this.#index.of[place] ?? -1,
      numberAt: (at) => valueAt(at, 0, numbers),
      timeAt: (at) => valueAt(at, numbers, times),
    };
  }

  #formOf(place: number): FormIndex | undefined {
    return this.#index.forms[this.#index.of[place] ?? -1];
  }

  #membersOf([, , , , members]: FormIndex): readonly string[] {
    return members.map((member) => {
      this.#members[member] ??= this.#texts.toString(
        'utf8',
        this.#textsAt[member],
        this.#textsAt[member + 1],
      );
      return this.#members[member];
    });
  }

  #valuesOf(place: number, [, , numbers, times]: FormIndex): RecordValues {
    let hash = this.#hashesAt[place] ?? 0;
    let [number, time, text] = [0, numbers, numbers + times];
    const next = <Value extends RowValue>(at: number): Value => {
      const value = this.#columns.valueAt(place, at);
      if (value === undefined) throw damaged();
      // Values of one kind stand at the places of that kind.
      return value as Value;
    };
    return {
      nextHex: () => {
        hash += HASH_BYTES;
        return this.#hashes.toString('hex', hash - HASH_BYTES, hash);
      },
      nextNumber: () => next<number>(number++),
      nextTime: () => next<number>(time++),
      nextText: () => next<string>(text++),
    };
  }
}

/** Where each of several parts begins, and where the last one ends. */
function toPlaces(first: number, lengths: readonly number[]): number[] {
  const places = [first];
  for (const length of lengths) places.push((places.at(-1) ?? 0) + length);
  return places;
}

function damaged(): Error {
  return Object.assign(new Error('a block whose values do not fit'), { code: 'DAMAGED_BLOCK' });
}
