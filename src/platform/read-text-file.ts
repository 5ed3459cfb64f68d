import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Result } from './result.ts';

/**
 * Reads a regular file of at most `bytesMax` bytes in UTF-8. Its size is known before anything is read, and
 * no more is read than that: a file that changes meanwhile is a mistake, and so is one that is no file.
 */
export function readTextFile(path: string, bytesMax: number): Result<string> {
  let descriptor: number | null = null;
  const refuse = (why: string): Result<string> => ({ ok: false, mistakes: [`${path}: ${why}`] });
  try {
    // Opening a named pipe would block until another process writes to it.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const before = fstatSync(descriptor, { bigint: true });
    if (!before.isFile()) return refuse('is not a regular file');
    if (before.size > bytesMax) return refuse(`holds ${before.size} bytes; at most ${bytesMax} are read`);
    const bytes = readBytes(descriptor, Number(before.size));
    const after = fstatSync(descriptor, { bigint: true });
    const isSame = before.size === after.size && before.mtimeNs === after.mtimeNs;
    if (bytes === null || !isSame) return refuse('changed while it was read');
    // A byte order mark stays in the text, so that two files are one text only where they are one file.
    return { ok: true, value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return refuse('is not UTF-8');
    return refuse(`cannot be read (${String(code)})`);
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

/** Null where the file ends before `size` bytes. */
function readBytes(descriptor: number, size: number): Uint8Array | null {
  const bytes = Buffer.alloc(size);
  for (let filled = 0; filled < size; ) {
    const count = readSync(descriptor, bytes, filled, size - filled, filled);
    if (count === 0) return null;
    filled += count;
  }
  return bytes;
}
