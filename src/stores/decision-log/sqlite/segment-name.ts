import type { LogPosition } from '../../../application/decision-log/decision-log.ts';

/** One file of the history: a day, or a part of a day where that grew large. Later names are greater. */
export type SegmentName = string;

/** Where an entry stands: its segment, and its number in it, from 1. */
export interface EntryPlace {
  readonly segment: SegmentName;
  readonly seq: number;
}

const SEQ_DIGITS = 12;
const PART_DIGITS = 4;
const NAME = /^\d{8}-\d{4}$/;
const POSITION = /^(\d{8}-\d{4})-(\d{12})$/;
const EXTENSION = '.sqlite';
/** Of which only labelled decisions are left. */
const THINNED_EXTENSION = `.thinned${EXTENSION}`;

/** The name of a part of the UTC day that a time lies in. */
export function toSegmentName(timeMs: number, part: number): SegmentName {
  const day = new Date(timeMs).toISOString().slice(0, 10).replaceAll('-', '');
  return `${day}-${String(part).padStart(PART_DIGITS, '0')}`;
}

/** The name of the segment after this one on the same day. */
export function nextPartOf(name: SegmentName): SegmentName {
  const [day, part] = name.split('-');
  return `${day}-${String(Number(part) + 1).padStart(PART_DIGITS, '0')}`;
}

/** Unix milliseconds at which the day of a segment begins. */
export function dayMsOf(name: SegmentName): number {
  return Date.parse(`${name.slice(0, 4)}-${name.slice(4, 6)}-${name.slice(6, 8)}T00:00:00Z`);
}

/** The name of a segment's file. */
export function toFileName(name: SegmentName): string {
  return name + EXTENSION;
}

/** The name of the file of which only labelled decisions are left, which takes the place of the other. */
export function toThinnedFileName(name: SegmentName): string {
  return name + THINNED_EXTENSION;
}

/** The segment of a file, or null for another file. */
export function toSegment(fileName: string): SegmentName | null {
  const extension = [THINNED_EXTENSION, EXTENSION].find((one) => fileName.endsWith(one));
  if (extension === undefined) return null;
  const name = fileName.slice(0, -extension.length);
  return NAME.test(name) ? name : null;
}

/** The position of an entry: later entries have greater strings. */
export function toPosition({ segment, seq }: EntryPlace): LogPosition {
  return `${segment}-${String(seq).padStart(SEQ_DIGITS, '0')}`;
}

/** Null for what is no position in this log. */
export function toPlace(position: LogPosition): EntryPlace | null {
  const [, segment, seq] = POSITION.exec(position) ?? [];
  return segment === undefined ? null : { segment, seq: Number(seq) };
}
