import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** Records that are compressed together: about 500 KB of text, which is read back in a millisecond. */
export const BLOCK_RECORDS = 250;
/** No block is larger than this when it is read: a damaged file must not fill the memory. */
const TEXT_BYTES_MAX = 256 * 1024 * 1024;
/** Of the cheapest level the texts of records are no larger than of the next ones. */
const LEVEL = 1;

/** Compresses the texts of records, none of which has a line break. */
export function toBlock(texts: readonly string[]): Uint8Array {
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };
  return zstdCompressSync(texts.join('\n'), { params });
}

/** The texts of a block. Throws when it is damaged. */
export function readBlock(block: Uint8Array): readonly string[] {
  return zstdDecompressSync(block, { maxOutputLength: TEXT_BYTES_MAX }).toString('utf8').split('\n');
}
