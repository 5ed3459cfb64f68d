import { type ActivityPart, isPaired, SEEN_KINDS } from '../../domain/activity/activity-parts.ts';
import { type ActivityState, VALUE } from '../../domain/activity/activity-state.ts';

/**
 * The bytes of a state, all numbers big-endian: the layout, first and since (4 each), the number of counts at
 * which they are put together (2), how many values there are of each kind (1 each), the mask of the kinds
 * that are paired (1); then the values: name (6) and last (4), and where they are paired first and accepted
 * (4 each); then the counts: time (4), measure (2), number (4).
 */
export const LAYOUT = 2;
const LENGTHS_AT = 11;
const PAIRS_AT = LENGTHS_AT + SEEN_KINDS.length;
/** All before the values. */
export const HEADER_BYTES = PAIRS_AT + 1;
/** One value. */
export const VALUE_BYTES = { plain: 10, paired: 18 } as const;
/** One count. */
export const COUNT_BYTES = 10;
/** How many counts there are at least before they are put together. */
export const COMPACT_AT_MIN = 48;

/** The name of a value. */
export const NAME_BYTES = 6;

/** The bits of the kinds that are paired in each part. */
export const PAIRS_MASKS: Readonly<Record<ActivityPart, number>> = {
  account: pairsMaskOf('account'),
  device: pairsMaskOf('device'),
  ip: pairsMaskOf('ip'),
  visitor: pairsMaskOf('visitor'),
  hardware: pairsMaskOf('hardware'),
};

function pairsMaskOf(part: ActivityPart): number {
  return SEEN_KINDS.reduce((mask, kind, place) => (isPaired(part, kind) ? mask | (1 << place) : mask), 0);
}

/** The state in these bytes; null where they are none. */
export function decodeActivity(bytes: Buffer): ActivityState | null {
  if (bytes.length < HEADER_BYTES || bytes[0] !== LAYOUT) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const mask = view.getUint8(PAIRS_AT);
  const lengths: number[] = [];
  let [valuesEnd, numbers] = [HEADER_BYTES, SEEN_KINDS.length];
  for (let kind = 0; kind < SEEN_KINDS.length; kind += 1) {
    const length = view.getUint8(LENGTHS_AT + kind);
    lengths.push(length);
    valuesEnd += length * widthOf(mask, kind);
    numbers += length * VALUE;
  }
  if (valuesEnd > bytes.length || (bytes.length - valuesEnd) % COUNT_BYTES !== 0) return null;
  return {
    firstSeconds: view.getUint32(1),
    sinceSeconds: view.getUint32(5),
    values: readValues(view, mask, lengths, numbers),
    counts: readCounts(view, valuesEnd),
    compactAt: view.getUint16(9) * 3,
  };
}

function widthOf(mask: number, kind: number): number {
  return (mask & (1 << kind)) === 0 ? VALUE_BYTES.plain : VALUE_BYTES.paired;
}

/** As ActivityState has them, every number in its place. */
function readValues(view: DataView, mask: number, lengths: readonly number[], numbers: number): number[] {
  const values = listOf(numbers);
  let [at, place] = [HEADER_BYTES, lengths.length];
  lengths.forEach((length, kind) => {
    const width = widthOf(mask, kind);
    for (const end = at + length * width; at < end; at += width) {
      const last = view.getUint32(at + NAME_BYTES);
      const isPaired = width === VALUE_BYTES.paired;
      values[place] = view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2);
      values[place + 1] = isPaired ? view.getUint32(at + NAME_BYTES + 4) : last;
      values[place + 2] = last;
      values[place + 3] = isPaired ? view.getUint32(at + NAME_BYTES + 8) : 0;
      place += VALUE;
    }
    values[kind] = place;
  });
  return values;
}

function readCounts(view: DataView, from: number): number[] {
  const counts = listOf((3 * (view.byteLength - from)) / COUNT_BYTES);
  for (let [at, place] = [from, 0]; at < view.byteLength; at += COUNT_BYTES, place += 3) {
    counts[place] = view.getUint32(at);
    counts[place + 1] = view.getUint16(at + 4);
    counts[place + 2] = view.getUint32(at + 6);
  }
  return counts;
}

/** A list that is made at its length: one that grows is copied, and every decision reads half a dozen. */
function listOf(length: number): number[] {
  // oxlint-disable-next-line unicorn/no-new-array
  return new Array<number>(length);
}
