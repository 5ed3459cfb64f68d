import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** Of another version nothing is read: the summary is made again. */
const VERSION = 1;
const MAGIC = 'RGSUMMRY';
/** The magic, and the length of the header. */
const PREFIX_BYTES = 12;
const HEADER_BYTES_MAX = 64 * 1024;
/** Sections begin at a multiple of this, so that numbers are read where they stand. */
const ALIGNMENT = 8;
/** Only the owner and the group may read it. */
const MODE = 0o640;
/** What follows that of a file that is being written. */
export const PART = '.part';

/** What follows the name of a segment's file. */
export const SUMMARY = '-summary';

/** Where a section stands in the file behind the header, how long it is, and its CRC-32. */
type SectionPlace = readonly [at: number, bytes: number, check: number];

interface Header {
  readonly version: number;
  /** What the summary is of. */
  readonly of: string;
  readonly sections: Readonly<Record<string, SectionPlace>>;
}

/**
 * Writes sections to a file that takes the place of one that is there. It need not reach the disk: what is not whole
 * is not read. Throws where the disk fails.
 */
export function writeSummary(path: string, of: string, sections: ReadonlyMap<string, Uint8Array>): void {
  const places: Record<string, SectionPlace> = {};
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const [name, bytes] of sections) {
    places[name] = [at, bytes.length, crc32(bytes)];
    const padding = (ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT;
    pieces.push(bytes, new Uint8Array(padding));
    at += bytes.length + padding;
  }
  const header = Buffer.from(JSON.stringify({ version: VERSION, of, sections: places } satisfies Header));
  const prefix = Buffer.alloc(PREFIX_BYTES, MAGIC);
  prefix.writeUInt32BE(header.length, MAGIC.length);
  try {
    writeFileSync(path + PART, Buffer.concat([prefix, header, ...pieces]), { mode: MODE });
    renameSync(path + PART, path);
  } catch (error) {
    rmSync(path + PART, { force: true });
    throw error;
  }
}

/** Reads the sections of a summary. */
export class SummaryFile {
  readonly #path: string;
  readonly #from: number;
  readonly #sections: Header['sections'];
  /** The file in which a section was found to be whole, by its name: to look again takes as long as to read it. */
  readonly #whole = new Map<string, string>();

  private constructor(path: string, from: number, sections: Header['sections']) {
    this.#path = path;
    this.#from = from;
    this.#sections = sections;
  }

  /**
   * `of` is asked where there is a file. Null where there is none, or it is of something else, of another version, or
   * damaged.
   */
  static open(path: string, of: () => string): SummaryFile | null {
    try {
      const { bytes: prefix } = readAt(path, 0, PREFIX_BYTES);
      const length = prefix.readUInt32BE(MAGIC.length);
      if (prefix.toString('latin1', 0, MAGIC.length) !== MAGIC || length > HEADER_BYTES_MAX) return null;
      const header = JSON.parse(readAt(path, PREFIX_BYTES, length).bytes.toString()) as Header;
      if (header.version !== VERSION || header.of !== of()) return null;
      return new SummaryFile(path, PREFIX_BYTES + length, header.sections);
    } catch {
      // No file, none that can be read, or no JSON: the segment itself says all of it.
      return null;
    }
  }

  /** The bytes of a section, which begin a buffer of their own; null where they cannot be read, or are damaged. */
  read(name: string): Buffer | null {
    try {
      const place = Object.hasOwn(this.#sections, name) ? this.#sections[name] : undefined;
      if (place === undefined) return null;
      const [at, length, check] = place;
      const { bytes, file } = readAt(this.#path, this.#from + at, length);
      if (this.#whole.get(name) === file) return bytes;
      if (crc32(bytes) !== check) return null;
      this.#whole.set(name, file);
      return bytes;
    } catch {
      // It was removed, its header is damaged, or the disk fails: the segment itself says all of it.
      return null;
    }
  }
}

/** Bytes, and what tells the file from another one and from what it was before. Throws where the file is shorter. */
function readAt(path: string, at: number, length: number): { readonly bytes: Buffer; readonly file: string } {
  const file = openSync(path, 'r');
  try {
    const { ino, size, mtimeMs } = fstatSync(file);
    if (size < at + length) throw new RangeError('a summary that is cut off');
    const bytes = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const count = readSync(file, bytes, done, length - done, at + done);
      if (count === 0) throw new RangeError('a summary that is cut off');
      done += count;
    }
    return { bytes, file: `${ino} ${size} ${mtimeMs}` };
  } finally {
    closeSync(file);
  }
}
