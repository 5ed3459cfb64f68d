import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type GroupHead, packRows, RowColumns, type RowValue } from './row-columns.ts';
import { TextNumbering } from './text-numbering.ts';

/** Evidence without its times; see SignalsParts. */
export interface EvidenceParts {
  /** The number of its form in its segment. */
  readonly form: number;
  readonly numbers: readonly RowValue[];
  /** Hex digits, 32 for each hash. */
  readonly hashes: string;
}

/** Pieces of evidence that are kept together: about 30 KB, of which one is read back in a tenth of a millisecond. */
export const BLOCK_EVIDENCE = 256;

/** What a block says of its columns, which stand behind it. The form of each piece is the first of its values. */
interface BlockIndex {
  /** For each piece the group of those that have as many values. */
  readonly of: readonly number[];
  readonly groups: readonly GroupHead[];
  /** For each piece how many hashes it has, by its group. */
  readonly hashes: readonly number[];
}

/** How long the columns are when packed, how long they become, and how long the hashes become. */
const PREFIX_BYTES = 12;
const LENGTH_BYTES = 4;
/** No block is larger than this when it is read: a damaged file must not fill the memory. */
const BYTES_MAX = 64 * 1024 * 1024;
const HASH_BYTES = 16;
const HASH_CHARS = 2 * HASH_BYTES;
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };
/** What zlib takes as the least piece, and the largest that is unpacked at once. */
const [PIECE_MIN, PIECE_MAX] = [64, 4 * 1024 * 1024];

/**
 * Makes a block of evidence. Hashes are compressed too, apart: some stand in many pieces, such as those of a network
 * or of a kind of browser, and who counts classes of evidence reads none.
 */
export function toEvidenceBlock(pieces: readonly EvidenceParts[]): Uint8Array {
  const numbering = new TextNumbering();
  const hashesOf: number[] = [];
  const of = pieces.map(({ numbers, hashes }) => {
    const count = hashes.length / HASH_CHARS;
    const group = numbering.of(`${numbers.length} ${count}`);
    hashesOf[group] = count;
    return group;
  });
  const { groups, bytes } = packRows(
    pieces.map(({ form, numbers }) => [form, ...numbers]),
    of,
  );
  const index = Buffer.from(JSON.stringify({ of, groups, hashes: hashesOf } satisfies BlockIndex));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(index.length);
  const head = Buffer.concat([length, index, bytes]);
  const hashes = Buffer.from(pieces.map((piece) => piece.hashes).join(''), 'hex');
  const packed = zstdCompressSync(head, { params: PARAMS });
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(packed.length);
  prefix.writeUInt32BE(head.length, LENGTH_BYTES);
  prefix.writeUInt32BE(hashes.length, 2 * LENGTH_BYTES);
  return Buffer.concat([prefix, packed, zstdCompressSync(hashes, { params: PARAMS })]);
}

/** Reads of a block what is asked for. Throws with a `code` where it is damaged. */
export class EvidenceBlock {
  readonly #index: BlockIndex;
  readonly #columns: RowColumns;
  readonly #packedHashes: Buffer;
  readonly #hashBytes: number;
  #hashes: Buffer | null = null;
  /** Where the hashes of each piece begin. */
  #hashesAt: readonly number[] = [];

  constructor(block: Uint8Array) {
    const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    const hashesAt = PREFIX_BYTES + bytes.readUInt32BE();
    const head = decompress(bytes.subarray(PREFIX_BYTES, hashesAt), bytes.readUInt32BE(LENGTH_BYTES));
    const columnsAt = LENGTH_BYTES + head.readUInt32BE();
    this.#index = JSON.parse(head.toString('utf8', LENGTH_BYTES, columnsAt)) as BlockIndex;
    const { groups, of } = this.#index;
    this.#columns = new RowColumns({ groups, bytes: head.subarray(columnsAt) }, of);
    this.#packedHashes = bytes.subarray(hashesAt);
    this.#hashBytes = bytes.readUInt32BE(2 * LENGTH_BYTES);
  }

  /** How many pieces it has. */
  get length(): number {
    return this.#index.of.length;
  }

  formAt(piece: number): number {
    return Number(this.#columns.valueAt(piece, 0));
  }

  /** One of the numbers of a piece; undefined where it has no such one. */
  numberAt(piece: number, place: number): RowValue | undefined {
    return this.#columns.valueAt(piece, place + 1);
  }

  /** A piece as it was. */
  at(piece: number): EvidenceParts {
    const numbers: RowValue[] = [];
    for (
      let value = this.numberAt(piece, 0);
      value !== undefined;
      value = this.numberAt(piece, numbers.length)
    )
      numbers.push(value);
    const hashes = this.#readHashes();
    const [from, to] = [this.#hashesAt[piece], this.#hashesAt[piece + 1]];
    return { form: this.formAt(piece), numbers, hashes: hashes.toString('hex', from, to) };
  }

  #readHashes(): Buffer {
    if (this.#hashes !== null) return this.#hashes;
    const hashes = decompress(this.#packedHashes, this.#hashBytes);
    const places = [0];
    let end = 0;
    for (const group of this.#index.of) {
      end += (this.#index.hashes[group] ?? 0) * HASH_BYTES;
      places.push(end);
    }
    if (end !== hashes.length)
      throw Object.assign(new Error('hashes that do not fit their evidence'), { code: 'DAMAGED_BLOCK' });
    this.#hashesAt = places;
    this.#hashes = hashes;
    return hashes;
  }
}

/** In one piece, where it is known how long it becomes. */
function decompress(packed: Buffer, length: number): Buffer {
  const chunkSize = Math.min(Math.max(PIECE_MIN, length + 1), PIECE_MAX);
  return zstdDecompressSync(packed, { chunkSize, maxOutputLength: BYTES_MAX });
}
