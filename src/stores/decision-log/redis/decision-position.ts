import type { LogPosition } from '../../../application/decision-log/decision-log.ts';

/** Where a record stands: the hour whose stream holds it, and its id in that stream. */
export interface StreamPlace {
  readonly hour: number;
  readonly ms: number;
  readonly sequence: number;
}

/** The span of one stream, milliseconds. */
export const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/**
 * Places of an hour are numbered until the year 13000, and a millisecond holds fewer records than this has
 * digits.
 */
const HOUR_DIGITS = 8;
const MS_DIGITS = 14;
const SEQUENCE_DIGITS = 7;
/** Greater than the milliseconds of any place. */
export const MS_MAX = 10 ** MS_DIGITS - 1;

/** The hour that a time lies in. */
export function hourOf(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS);
}

/** The beginning of the minute that a time lies in. */
export function minuteOf(timeMs: number): number {
  return timeMs - (timeMs % MINUTE_MS);
}

/** The position of a place: later ones are greater strings. */
export function toPosition({ hour, ms, sequence }: StreamPlace): LogPosition {
  return [pad(hour, HOUR_DIGITS), pad(ms, MS_DIGITS), pad(sequence, SEQUENCE_DIGITS)].join('-');
}

/**
 * Null for what is no position in Redis: a sequence beyond what a number holds exactly would be an id that
 * Redis refuses.
 */
export function toPlace(position: LogPosition): StreamPlace | null {
  const match = /^(\d{8})-(\d{14})-(\d{7,15})$/.exec(position);
  if (match === null) return null;
  const [, hour, ms, sequence] = match;
  return { hour: Number(hour), ms: Number(ms), sequence: Number(sequence) };
}

/** The place of an entry with this id in the stream of an hour. */
export function toPlaceIn(hour: number, streamId: string): StreamPlace {
  const [ms, sequence] = streamId.split('-');
  return { hour, ms: Number(ms), sequence: Number(sequence) };
}

/** The id in the stream. */
export function toStreamId({ ms, sequence }: StreamPlace): string {
  return `${ms}-${sequence}`;
}

/** The greatest id below a place. */
export function idBefore({ ms, sequence }: StreamPlace): string {
  // Without a sequence Redis takes the greatest one of that millisecond.
  return sequence > 0 ? `${ms}-${sequence - 1}` : String(ms - 1);
}

/** The least id above a place. */
export function idAfter({ ms, sequence }: StreamPlace): string {
  return `${ms}-${sequence + 1}`;
}

function pad(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}
