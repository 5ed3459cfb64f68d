import type { RecordPlace } from '../../../domain/decision-log/record-place.ts';
import { COLUMNS, type Column, type ColumnName, packColumn } from './column-chunk.ts';
import type { SegmentReader } from './segment-reader.ts';
import type { PlacePart, SegmentSums, SummaryExtent } from './segment-summary.ts';

const PLACE_PARTS = ['country', 'asn', 'asnName'] as const satisfies readonly PlacePart[];

/** Whether all entries stand in chunks, which is so of every segment that is over and whole. */
export function isSummarisable(segment: SegmentReader): boolean {
  const range = segment.range();
  return (
    range !== null &&
    range.first === 1 &&
    range.last === segment.columns.lastInChunks() &&
    !segment.isThinned()
  );
}

/** The sections of the summary of a segment all of whose entries stand in chunks, from 1 on. */
export function toSummary(segment: SegmentReader, sums: SegmentSums): ReadonlyMap<string, Uint8Array> {
  const sections = new Map<string, Uint8Array>();
  const last = segment.columns.lastInChunks();
  for (const name of Object.keys(COLUMNS) as ColumnName[]) {
    const whole = new Uint32Array(last);
    for (const chunk of segment.columns.chunks()) whole.set(chunk.column(name), chunk.first - 1);
    sections.set(name, packColumn(whole));
  }
  const places = segment.places();
  const greatest = [...places.keys()].at(-1) ?? 0;
  for (const part of PLACE_PARTS) {
    const { values, column } = toPlaceColumn(places, part, greatest);
    sections.set(part, packColumn(column));
    sections.set(`${part}_values`, toJson(values));
  }
  const keys = segment.shapeKeys();
  sections.set('shape_keys', Buffer.concat(keys));
  sections.set('sums', toJson(sums));
  const extent: SummaryExtent = { last, places: greatest, shapes: keys.length };
  sections.set('extent', toJson(extent));
  return sections;
}

/** The first value is that of what is no place. */
function toPlaceColumn(places: ReadonlyMap<number, RecordPlace>, part: PlacePart, greatest: number) {
  const values: (string | number | null)[] = [null];
  const numbers = new Map<string | number | null, number>([[null, 0]]);
  const column: Column = new Uint32Array(greatest + 1);
  for (const [id, place] of places) {
    const value = place[part];
    let number = numbers.get(value);
    if (number === undefined) {
      number = values.length;
      numbers.set(value, number);
      values.push(value);
    }
    column[id] = number;
  }
  return { values, column };
}

function toJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
