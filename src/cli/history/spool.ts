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
      const { buffer } = await this.#file.read(Buffer.alloc(bytes), 0, bytes, offset);
      const lines = (await decompress(buffer)).toString('utf8').split('\n');
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
    await this.#file.write(body, 0, body.length, this.#end);
    this.#end += body.length;
  }
}
