import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip, createZstdDecompress } from 'node:zlib';

/** A line as it stands in its file. */
export interface NumberedLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** Far more than any record. */
const LINE_CHARS_MAX = 16 * 1024 * 1024;
const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/**
 * The lines of a file, plain or compressed by gzip or zstd, which its first bytes tell. Empty lines count, and
 * are left out. Rejects with a `code` where the file cannot be read, or its end is torn off.
 */
export async function* readFileLines(path: string): AsyncGenerator<NumberedLine> {
  try {
    const head = await readHead(path);
    const source = createReadStream(path);
    if (starts(head, GZIP)) yield* toLines(pipeline(source, createGunzip(), ignore));
    else if (starts(head, ZSTD)) yield* toLines(pipeline(source, createZstdDecompress(), ignore));
    else yield* toLines(source);
  } catch (error) {
    // What zlib says of a file does not name it, and several may be read.
    if (error instanceof Error && !error.message.includes(path)) error.message = `${path}: ${error.message}`;
    throw error;
  }
}

/** The lines of a text that comes in pieces. */
export async function* toLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<NumberedLine> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let number = 0;
  for await (const piece of pieces) {
    const lines = (rest + decoder.write(Buffer.from(piece))).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_CHARS_MAX)
      throw Object.assign(new Error('a line has no end'), { code: 'LINE_TOO_LONG' });
    for (const text of lines) {
      number += 1;
      if (text.trim() !== '') yield { number, text };
    }
  }
  rest += decoder.end();
  if (rest.trim() !== '') yield { number: number + 1, text: rest };
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(ZSTD.length), 0, ZSTD.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function starts(bytes: Buffer, mark: Buffer): boolean {
  return bytes.subarray(0, mark.length).equals(mark);
}

/** Whoever reads the last stream gets the error. */
function ignore(): void {}
