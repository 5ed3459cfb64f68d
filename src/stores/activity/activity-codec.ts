import { type ActivityPart, isPaired, SEEN_KINDS } from '../../domain/activity/activity-parts.ts';
import type { ActivityState } from '../../domain/activity/activity-state.ts';

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

/** The bits of the kinds that are paired in this part. */
export function pairsMaskOf(part: ActivityPart): number {
  return SEEN_KINDS.reduce((mask, kind, place) => (isPaired(part, kind) ? mask | (1 << place) : mask), 0);
}

/** The state in these bytes; null where they are none. */
export function decodeActivity(bytes: Buffer): ActivityState | null {
  if (bytes.length < HEADER_BYTES || bytes[0] !== LAYOUT) return null;
  const mask = bytes.readUInt8(PAIRS_AT);
  let at = HEADER_BYTES;
  const seen: number[][] = [];
  for (let kind = 0; kind < SEEN_KINDS.length; kind += 1) {
    const isWide = (mask & (1 << kind)) !== 0;
    const values: number[] = [];
    const end = at + bytes.readUInt8(LENGTHS_AT + kind) * (isWide ? VALUE_BYTES.paired : VALUE_BYTES.plain);
    if (end > bytes.length) return null;
    for (; at < end; at += isWide ? VALUE_BYTES.paired : VALUE_BYTES.plain)
      pushValue(values, bytes, at, isWide);
    seen.push(values);
  }
  if ((bytes.length - at) % COUNT_BYTES !== 0) return null;
  const counts: number[] = [];
  for (; at < bytes.length; at += COUNT_BYTES)
    counts.push(bytes.readUInt32BE(at), bytes.readUInt16BE(at + 4), bytes.readUInt32BE(at + 6));
  return {
    firstSeconds: bytes.readUInt32BE(1),
    sinceSeconds: bytes.readUInt32BE(5),
    seen,
    counts,
    compactAt: bytes.readUInt16BE(9) * 3,
  };
}

function pushValue(values: number[], bytes: Buffer, at: number, isWide: boolean): void {
  const last = bytes.readUInt32BE(at + NAME_BYTES);
  const first = isWide ? bytes.readUInt32BE(at + NAME_BYTES + 4) : last;
  const accepted = isWide ? bytes.readUInt32BE(at + NAME_BYTES + 8) : 0;
  values.push(bytes.readUIntBE(at, NAME_BYTES), first, last, accepted);
}

/** The bytes of a name. */
export function encodeName(name: number): Buffer {
  const bytes = Buffer.allocUnsafe(NAME_BYTES);
  bytes.writeUIntBE(name, 0, NAME_BYTES);
  return bytes;
}
