import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { parseEntryText, toEntryText } from '../../domain/lists/entry-text.ts';
import type { ListEntry } from '../../domain/lists/list-entry.ts';

/** What a file of lists begins with: a version, so that another shape is refused and not misread. */
const HEAD = 'riskgate lists 1';
/** Only the owner and the group may read it. */
const MODE = 0o640;
const LINE_FEED = 0x0a;
const CHECK_CHARS = 8;
/** `<crc32 of what follows> <JSON list of entry texts>`. */
const LINE = /^([0-9a-f]{8}) (.*)$/s;

/** What was found in a file. */
interface ReadFile {
  /** How many entries were read, replaced ones included. */
  readonly entries: number;
  /** Bytes of a last line that was not written to its end: nobody was told that it is kept. */
  readonly tornBytes: number;
}

/** Why a file cannot be read as lists. */
export class ListFileError extends Error {}

/**
 * Reads a file line by line and hands on its entries. Throws a ListFileError for a foreign file and for one
 * that is damaged anywhere but in a last line without an end, and an error with a `code` of the system.
 */
export async function readListFile(path: string, take: (entry: ListEntry) => void): Promise<ReadFile> {
  let rest = Buffer.alloc(0);
  let line = 0;
  let entries = 0;
  for await (const chunk of createReadStream(path)) {
    let bytes = Buffer.concat([rest, chunk as Buffer]);
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED)) {
      line += 1;
      const text = bytes.toString('utf8', 0, end);
      bytes = bytes.subarray(end + 1);
      if (line === 1) requireHead(text);
      else
        for (const entry of parseLine(text, line)) {
          take(entry);
          entries += 1;
        }
    }
    rest = bytes;
  }
  if (line === 0) throw new ListFileError('it is no file of lists');
  return { entries, tornBytes: rest.length };
}

/** One line of entries that are kept together or not at all. */
export function toLine(entries: readonly ListEntry[]): string {
  const json = JSON.stringify(entries.map(toEntryText));
  return `${checkOf(json)} ${json}\n`;
}

/**
 * Replaces a file by one with these lines, atomically: whoever reads it finds the former one or the whole new
 * one, also after a power cut. Resolves with the file, open for appending.
 */
export async function replaceListFile(path: string, lines: Iterable<string>): Promise<FileHandle> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', MODE);
  try {
    await file.appendFile(`${HEAD}\n`);
    for (const line of lines) await file.appendFile(line);
    await file.sync();
    await rename(temporary, path);
    await syncDirectory(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function requireHead(text: string): void {
  if (text !== HEAD) throw new ListFileError('it is no file of lists, or one of another version');
}

function parseLine(text: string, line: number): readonly ListEntry[] {
  const [, check, json = ''] = LINE.exec(text) ?? [];
  if (check !== checkOf(json)) throw new ListFileError(`line ${line} is damaged`);
  // The check says that the line is as it was written.
  const texts = JSON.parse(json) as readonly string[];
  return texts.map((each) => {
    const entry = parseEntryText(each);
    if (entry === null) throw new ListFileError(`line ${line} holds what is no entry`);
    return entry;
  });
}

function checkOf(text: string): string {
  return crc32(text).toString(16).padStart(CHECK_CHARS, '0');
}
