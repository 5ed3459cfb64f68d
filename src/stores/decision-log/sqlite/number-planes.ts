/**
 * How a column of numbers is written: with no bytes, the value that all have; otherwise how many bytes each takes,
 * which number the bytes count from, in which unit (see UNITS), and up (1) or down (-1).
 */
export type PlanesHead =
  | readonly [bytesEach: 0, value: number]
  | readonly [bytesEach: number, from: number, unit: number, sign: number];

/** Whole numbers, hundredths, and thousands, such as times without milliseconds. */
const UNITS = [
  { toCount: (value: number) => value / 1000, toValue: (count: number) => count * 1000 },
  { toCount: (value: number) => value, toValue: (count: number) => count },
  { toCount: (value: number) => Math.round(value * 100), toValue: (count: number) => count / 100 },
] as const;

/** Beyond it sums and products of whole numbers are not exact in each unit. */
const COUNT_MAX = 2 ** 50;
const BYTES_MAX = 6;
const BYTE = 256;

/**
 * Packs a column of numbers, at least one: what tells them apart as whole numbers, the lowest bytes of all rows
 * first, then the next ones. Columns that rise and fall together have the same bytes, so that compression finds them.
 * Null where the numbers do not fit.
 */
export function packPlanes(column: readonly number[]): { head: PlanesHead; bytes: Buffer } | null {
  const [first = 0] = column;
  if (column.every((value) => value === first)) return { head: [0, first], bytes: Buffer.alloc(0) };
  for (let unit = 0; unit < UNITS.length; unit += 1) {
    const counts = toCounts(column, unit);
    if (counts !== null) return packCounts(counts, unit);
  }
  return null;
}

function toCounts(column: readonly number[], unit: number): Float64Array | null {
  const { toCount, toValue } = unitOf(unit);
  const counts = new Float64Array(column.length);
  for (let row = 0; row < column.length; row += 1) {
    const value = column[row] as number;
    const count = toCount(value);
    if (!Number.isInteger(count) || Math.abs(count) > COUNT_MAX || toValue(count) !== value) return null;
    counts[row] = count;
  }
  return counts;
}

function packCounts(counts: Float64Array, unit: number): { head: PlanesHead; bytes: Buffer } | null {
  let [least, greatest] = [counts[0] as number, counts[0] as number];
  for (const count of counts) {
    if (count < least) least = count;
    else if (count > greatest) greatest = count;
  }
  let bytesEach = 1;
  for (let over = greatest - least; over >= BYTE; over /= BYTE) bytesEach += 1;
  if (bytesEach > BYTES_MAX) return null;
  // One of two columns whose sum is always the same counts down.
  const isDown = (counts[0] as number) - least > greatest - (counts[0] as number);
  const [from, sign] = isDown ? [greatest, -1] : [least, 1];
  const rows = counts.length;
  const bytes = Buffer.allocUnsafe(rows * bytesEach);
  for (let row = 0; row < rows; row += 1) {
    let rest = Math.abs((counts[row] as number) - from);
    for (let at = row; at < bytes.length; at += rows) {
      const low = rest % BYTE;
      bytes[at] = low;
      rest = (rest - low) / BYTE;
    }
  }
  return { head: [bytesEach, from, unit, sign], bytes };
}

/** The number of a row, of so many that were packed; their bytes begin at a place. */
export function readPlanes(
  head: PlanesHead,
  bytes: Uint8Array,
  at: number,
  row: number,
  rows: number,
): number {
  const [bytesEach, from, unit = 1, sign = 1] = head;
  if (bytesEach === 0) return from;
  let count = 0;
  for (let plane = bytesEach - 1; plane >= 0; plane -= 1)
    count = count * BYTE + (bytes[at + plane * rows + row] as number);
  return unitOf(unit).toValue(from + sign * count);
}

function unitOf(unit: number): (typeof UNITS)[number] {
  return UNITS[unit] ?? UNITS[1];
}
