/**
 * Gathers lines of text as UTF-8 in one block of memory that is used again: joined strings and new buffers of
 * half a megabyte cost more than what they carry.
 */
export class LineBuffer {
  #block: Buffer;
  #length = 0;

  constructor(bytes: number) {
    this.#block = Buffer.allocUnsafe(bytes);
  }

  /** Adds a line and its end. */
  add(line: string): void {
    // No character of a JavaScript string takes more than three bytes.
    const bytesMax = line.length * 3 + 1;
    if (this.#length + bytesMax > this.#block.length) this.#grow(bytesMax);
    this.#length += this.#block.write(line, this.#length, 'utf8');
    this.#block[this.#length] = 0x0a;
    this.#length += 1;
  }

  /** What was added since the last time: valid until the next line is added. */
  take(): Buffer {
    const taken = this.#block.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #grow(bytes: number): void {
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#block.length, this.#length + bytes));
    this.#block.copy(grown, 0, 0, this.#length);
    this.#block = grown;
  }
}
