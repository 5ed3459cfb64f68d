/** Bytes that a column begins with. */
const BYTES_MIN = 4_096;
/** Arguments of one call. */
const CHARS_TOGETHER = 4_096;
const LATIN_MAX = 0xff;

/**
 * The notes of a fixed number of rows as bytes: texts of the heap take twice as much, and the collector keeps
 * room for as many again. Equal notes that are put one after the other share their bytes. What is overwritten
 * is left behind until as many notes as there are rows were; then the rest is copied.
 */
export class NoteColumn {
  /** Where the note of a row begins. */
  readonly #from: Uint32Array;
  /** 0 for no note; else one more than its characters doubled, and one more where they have two bytes each. */
  readonly #size: Uint32Array;
  readonly #rows: number;
  #bytes = new Uint8Array(BYTES_MIN);
  #end = 0;
  #overwritten = 0;
  #latest: { readonly note: string; readonly from: number; readonly size: number } | null = null;

  constructor(rows: number) {
    this.#rows = rows;
    this.#from = new Uint32Array(rows);
    this.#size = new Uint32Array(rows);
  }

  get(row: number): string | null {
    const size = this.#size[row] ?? 0;
    if (size === 0) return null;
    const [from, chars] = [this.#from[row] ?? 0, (size - 1) >>> 1];
    return isWide(size) ? this.#readWide(from, chars) : readLatin(this.#bytes.subarray(from, from + chars));
  }

  set(row: number, note: string | null): void {
    if ((this.#size[row] ?? 0) !== 0) this.#overwritten += 1;
    if (note === null) {
      this.#size[row] = 0;
      return;
    }
    const { from, size } = this.#latest?.note === note ? this.#latest : this.#append(note);
    this.#from[row] = from;
    this.#size[row] = size;
    if (this.#overwritten > this.#rows) this.#copyAll();
  }

  #append(note: string) {
    const isLatin = isAllLatin(note);
    const length = isLatin ? note.length : 2 * note.length;
    if (this.#end + length > this.#bytes.length) this.#grow(this.#end + length);
    const from = this.#end;
    for (let place = 0, at = from; place < note.length; place += 1) {
      const code = note.charCodeAt(place);
      this.#bytes[at++] = code & LATIN_MAX;
      if (!isLatin) this.#bytes[at++] = code >>> 8;
    }
    this.#end += length;
    this.#latest = { note, from, size: 1 + 2 * note.length + (isLatin ? 0 : 1) };
    return this.#latest;
  }

  #grow(least: number): void {
    const grown = new Uint8Array(Math.max(least, Math.ceil(1.5 * this.#bytes.length)));
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
  }

  #copyAll(): void {
    const notes = Array.from(this.#size, (_, row) => this.get(row));
    this.#bytes = new Uint8Array(BYTES_MIN);
    [this.#end, this.#overwritten, this.#latest] = [0, 0, null];
    this.#size.fill(0);
    for (const [row, note] of notes.entries()) this.set(row, note);
  }

  #readWide(from: number, chars: number): string {
    const codes = Uint16Array.from(
      { length: chars },
      (_, place) => (this.#bytes[from + 2 * place] ?? 0) | ((this.#bytes[from + 2 * place + 1] ?? 0) << 8),
    );
    return readLatin(codes);
  }
}

function isWide(size: number): boolean {
  return (size & 1) === 0;
}

function isAllLatin(text: string): boolean {
  for (let place = 0; place < text.length; place += 1) if (text.charCodeAt(place) > LATIN_MAX) return false;
  return true;
}

function readLatin(codes: Uint8Array | Uint16Array): string {
  let text = '';
  for (let from = 0; from < codes.length; from += CHARS_TOGETHER)
    text += String.fromCharCode(...codes.subarray(from, from + CHARS_TOGETHER));
  return text;
}
