import type { FileHandle } from 'node:fs/promises';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Lines that are compressed together: about a megabyte. */
const PAGE_LINES = 250;

interface Page {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Keeps lines in a temporary file, so that all of them are checked before the first is used, and so that they
 * can be read from the end. Nobody else can read the file; it goes with `close`.
 */
export class Spool {
  readonly #directory: string;
  readonly #file: FileHandle;
  readonly #pages: Page[] = [];
  #waiting: string[] = [];
  #end = 0;

  private constructor(directory: string, file: FileHandle) {
    this.#directory = directory;
    this.#file = file;
  }

  static async open(): Promise<Spool> {
    const directory = await mkdtemp(join(tmpdir(), 'riskgate-'));
    return new Spool(directory, await open(join(directory, 'lines'), 'wx+', 0o600));
  }

  async add(line: string): Promise<void> {
    this.#waiting.push(line);
    if (this.#waiting.length >= PAGE_LINES) await this.#write();
  }

  /** All lines that were added, in pages, in their order or from the last to the first. */
  async *pages(order: 'forward' | 'backward'): AsyncGenerator<readonly string[]> {
    await this.#write();
    const pages = order === 'forward' ? this.#pages : this.#pages.toReversed();
    for (const { offset, bytes } of pages) {
      const body = await this.#read(offset, bytes);
      const lines = (await decompress(body)).toString('utf8').split('\n');
      yield order === 'forward' ? lines : lines.toReversed();
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #write(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const body = await compress(Buffer.from(this.#waiting.join('\n')));
    this.#waiting = [];
    this.#pages.push({ offset: this.#end, bytes: body.length });
    await this.#writeAll(body);
  }

  /** The system may take less than it was given, as where the disk is nearly full; then the rest is given again. */
  async #writeAll(body: Buffer): Promise<void> {
    for (let written = 0; written < body.length; ) {
      const { bytesWritten } = await this.#file.write(body, written, body.length - written, this.#end);
      if (bytesWritten === 0) throw new Error('the temporary file takes no more bytes');
      written += bytesWritten;
      this.#end += bytesWritten;
    }
  }

  /** It may give less than it was asked for, too. */
  async #read(offset: number, bytes: number): Promise<Buffer> {
    const body = Buffer.alloc(bytes);
    for (let read = 0; read < bytes; ) {
      const { bytesRead } = await this.#file.read(body, read, bytes - read, offset + read);
      if (bytesRead === 0) throw new Error('the temporary file is shorter than what was written to it');
      read += bytesRead;
    }
    return body;
  }
}
