import { StringDecoder } from 'node:string_decoder';

/** A record of a text, and the number of its first line, from 1. */
export interface TextRecord {
  readonly line: number;
  /** Null for one that is longer than it may be. */
  readonly text: string | null;
}

/** More than any entry needs. */
const RECORD_CHARS_MAX = 4_096;
const QUOTE = '"';

/**
 * The records of a text that comes in pieces: lines, or with `isQuoted` what CSV (RFC 4180) has between line
 * breaks that are in no quotes. One that is too long is passed over, so that no text takes more memory than a
 * piece and a record. Empty lines are left out, and so is a byte order mark.
 */
export async function* readRecords(
  pieces: AsyncIterable<Buffer | string>,
  isQuoted: boolean,
): AsyncGenerator<TextRecord> {
  const decoder = new StringDecoder('utf8');
  const cutter = new RecordCutter(isQuoted);
  for await (const piece of pieces)
    yield* cutter.cut(typeof piece === 'string' ? piece : decoder.write(piece));
  yield* cutter.cut(decoder.end());
  yield* cutter.end();
}

class RecordCutter {
  readonly #isQuoted: boolean;
  #rest = '';
  #isTooLong = false;
  #isInQuotes = false;
  #line = 1;
  #breaks = 0;
  #isFirst = true;

  constructor(isQuoted: boolean) {
    this.#isQuoted = isQuoted;
  }

  *cut(text: string): Generator<TextRecord> {
    let from = 0;
    if (this.#isFirst && text !== '') {
      if (text.startsWith('\uFEFF')) from = 1;
      this.#isFirst = false;
    }
    for (let place = from; place < text.length; place += 1) {
      const char = text[place];
      if (char === QUOTE && this.#isQuoted) this.#isInQuotes = !this.#isInQuotes;
      if (char !== '\n') continue;
      this.#breaks += 1;
      // A quote that is never closed must not take everything that follows for one record.
      const isOpen =
        this.#isInQuotes && !this.#isTooLong && this.#rest.length + place - from <= RECORD_CHARS_MAX;
      if (isOpen) continue;
      this.#take(text.slice(from, place));
      from = place + 1;
      yield* this.end();
    }
    this.#take(text.slice(from));
  }

  *end(): Generator<TextRecord> {
    const text = this.#isTooLong ? null : this.#rest.replace(/\r$/, '');
    const line = this.#line;
    this.#line += this.#breaks;
    this.#breaks = 0;
    this.#rest = '';
    this.#isTooLong = false;
    this.#isInQuotes = false;
    if (text !== '') yield { line, text };
  }

  #take(text: string): void {
    this.#isTooLong ||= this.#rest.length + text.length > RECORD_CHARS_MAX;
    this.#rest = this.#isTooLong ? '' : this.#rest + text;
  }
}

/** The cells of a record of CSV; null where its quotes are not closed, or text follows one. */
export function readCells(record: string): readonly string[] | null {
  const cells: string[] = [];
  let place = 0;
  for (;;) {
    const isQuoted = record[place] === QUOTE;
    const end = isQuoted ? endOfQuoted(record, place) : endOfPlain(record, place);
    if (end === null) return null;
    const cell = record.slice(place, end);
    cells.push(isQuoted ? cell.slice(1, -1).replaceAll('""', QUOTE) : cell);
    if (end >= record.length) return cells;
    if (record[end] !== ',') return null;
    place = end + 1;
  }
}

function endOfPlain(record: string, from: number): number {
  const comma = record.indexOf(',', from);
  return comma < 0 ? record.length : comma;
}

function endOfQuoted(record: string, from: number): number | null {
  for (let place = from + 1; place < record.length; place += 1) {
    if (record[place] !== QUOTE) continue;
    if (record[place + 1] !== QUOTE) return place + 1;
    place += 1;
  }
  return null;
}
