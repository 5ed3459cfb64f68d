const [OPEN, CLOSE, COMMA, MINUS, ZERO, NINE] = [0x5b, 0x5d, 0x2c, 0x2d, 0x30, 0x39];
/** Digits of which every number is exact. */
const DIGITS_MAX = 15;

/**
 * The columns of numbers and of times of a few records, read where they stand: JSON of three lists of columns,
 * of which the third holds texts. To parse them all takes longer than all else that is read of a record.
 */
export class ValueColumns {
  readonly #bytes: Buffer;
  /** Where each column begins. */
  readonly #numbers: readonly number[];
  readonly #times: readonly number[];

  /** `at` is the place of the outermost bracket. */
  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    const numbers: number[] = [];
    const times: number[] = [];
    const end = columnsFrom(bytes, at + 1, numbers);
    columnsFrom(bytes, end + 1, times);
    this.#numbers = numbers;
    this.#times = times;
  }

  /** The number of a record at a place; undefined where there is none. */
  numberAt(place: number, row: number): number | undefined {
    const from = this.#numbers[place];
    if (from === undefined) return undefined;
    return this.#read(skipRows(this.#bytes, from, row));
  }

  /** The same of its times, of which each but the first is written as what it is later than the one before. */
  timeAt(place: number, row: number): number | undefined {
    const from = this.#times[place];
    if (from === undefined) return undefined;
    let sum = 0;
    for (let before = 0; before <= row; before += 1) sum += this.#read(skipRows(this.#bytes, from, before));
    return sum;
  }

  #read(from: number): number {
    const bytes = this.#bytes;
    const isNegative = bytes[from] === MINUS;
    let at = isNegative ? from + 1 : from;
    const first = at;
    let value = 0;
    for (let code = bytes[at] ?? 0; code >= ZERO && code <= NINE; code = bytes[at] ?? 0) {
      value = value * 10 + code - ZERO;
      at += 1;
    }
    const isWhole = bytes[at] === COMMA || bytes[at] === CLOSE;
    if (isWhole && at > first && at - first <= DIGITS_MAX) return isNegative ? -value : value;
    while (bytes[at] !== COMMA && bytes[at] !== CLOSE && at < bytes.length) at += 1;
    return JSON.parse(bytes.toString('latin1', from, at)) as number;
  }
}

/** Notes where each column of the list at a place begins. Returns the place after the list. */
function columnsFrom(bytes: Buffer, list: number, columns: number[]): number {
  let at = list + 1;
  while (bytes[at] === OPEN) {
    columns.push(at + 1);
    at = endOfColumn(bytes, at) + 1;
    if (bytes[at] === COMMA) at += 1;
  }
  return at + 1;
}

/** Columns are short: a loop is sooner at their end than a search is begun. */
function endOfColumn(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at += 1) if (bytes[at] === CLOSE) return at;
  throw damaged();
}

function skipRows(bytes: Buffer, from: number, rows: number): number {
  let at = from;
  for (let row = 0; row < rows; row += 1) {
    while (bytes[at] !== COMMA) {
      if (bytes[at] === CLOSE || at >= bytes.length) throw damaged();
      at += 1;
    }
    at += 1;
  }
  return at;
}

function damaged(): Error {
  return Object.assign(new Error('a block whose values do not fit'), { code: 'DAMAGED_BLOCK' });
}
