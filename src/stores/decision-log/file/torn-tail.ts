import type { FileHandle } from 'node:fs/promises';

/** More than the longest record: a line beyond it is no record of ours. */
const STEP_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Cuts off what a crash left unfinished at the end of a file of JSON lines: a line without its end, or a last
 * line that is no JSON. Never more than one line goes, which in the wrong file is the least harm. Returns the
 * size that remains and how many bytes went. Rejects as the file does.
 */
export async function repairTail(file: FileHandle): Promise<{ bytes: number; cutBytes: number }> {
  const { size } = await file.stat();
  const start = await startOfLine(file, size);
  const bytes = size === 0 || (await isWhole(file, start, size)) ? size : start;
  if (bytes < size) await file.truncate(bytes);
  return { bytes, cutBytes: size - bytes };
}

/** Where the line begins that ends, with or without a newline, at `end`. */
async function startOfLine(file: FileHandle, end: number): Promise<number> {
  // The newline at the end is the line's own.
  let stop = end - 1;
  while (stop > 0) {
    const start = Math.max(0, stop - STEP_BYTES);
    const chunk = await read(file, start, stop);
    const newline = chunk.lastIndexOf(NEWLINE);
    if (newline !== -1) return start + newline + 1;
    stop = start;
  }
  return 0;
}

async function isWhole(file: FileHandle, start: number, end: number): Promise<boolean> {
  const line = await read(file, start, end);
  if (line.at(-1) !== NEWLINE) return false;
  try {
    JSON.parse(line.toString('utf8'));
    return true;
  } catch {
    // A SyntaxError: blocks that a crash of the machine left empty, or half of a line.
    return false;
  }
}

async function read(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(end - start);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, start + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
