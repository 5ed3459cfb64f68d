import type {
  LogEntry,
  LogPage,
  LogPosition,
  QueryOptions,
} from '../../../application/decision-log/decision-log.ts';
import { labelInForce } from '../../../domain/decision-log/outcome-label.ts';
import {
  matchesFilter,
  matchesLabel,
  type RecordFilter,
} from '../../../domain/decision-log/record-filter.ts';
import { SUBJECT_PARTS } from '../../../domain/decision-log/subject-parts.ts';
import { labelsOf } from './decision-labels.ts';
import { hourOf, MS_MAX, type StreamPlace, toPlace, toPosition } from './decision-position.ts';
import { indexName } from './decision-sink.ts';
import type { DecisionStreams } from './decision-streams.ts';

/** Records that one query looks through: some 50 ms. An hour without any counts as a step. */
const SCAN_MAX = 5_000;
/**
 * Records that are read together: as many as are wanted, and more each time that few of them fit. These take
 * some milliseconds in one turn of the event loop.
 */
const STEP_MAX = 256;
/** Hours whose index one query reads for one name, minute by minute: some 20 ms. */
const INDEXED_HOURS_MAX = 24;
/** How far the clocks of replicas and servers may be apart. */
const CLOCK_MARGIN_MS = 10_000;

/**
 * One page of what is looked for: by the index where the filter names a subject, and record by record
 * otherwise.
 */
export async function search(
  streams: DecisionStreams,
  filter: RecordFilter,
  { before, limit }: QueryOptions,
): Promise<LogPage> {
  const start = before === null ? null : toPlace(before);
  if (before !== null && start === null) return { entries: [], next: null };
  const hours = await hoursToSearch(streams, filter, start);
  const names = indexNamesOf(filter);
  return names === null
    ? scan(streams, filter, hours, start, limit)
    : look(streams, filter, names, hours, start, limit);
}

/** The hours that can hold what is looked for, the newest first. */
async function hoursToSearch(
  streams: DecisionStreams,
  { since, until, includesGaps }: RecordFilter,
  start: StreamPlace | null,
): Promise<readonly number[]> {
  const oldest = since === undefined ? 0 : hourOf(Date.parse(since) - CLOCK_MARGIN_MS);
  const hours = streams
    .hours()
    .reverse()
    .filter((hour) => hour >= oldest && (start === null || hour <= start.hour));
  if (until === undefined || includesGaps === true) return hours;
  const earliest = await streams.sendAll(hours, (hour) => streams.redis.get(streams.keysOf(hour).earliest));
  const untilMs = Date.parse(until);
  return hours.filter((_, place) => Number(earliest[place] ?? Number.POSITIVE_INFINITY) < untilMs);
}

/** Looks through every record, newest first. */
async function scan(
  streams: DecisionStreams,
  filter: RecordFilter,
  hours: readonly number[],
  start: StreamPlace | null,
  limit: number,
): Promise<LogPage> {
  const entries: LogEntry[] = [];
  let scanned = 0;
  let step = Math.min(STEP_MAX, limit);
  for (const hour of hours) {
    if (scanned >= SCAN_MAX) return { entries, next: endOf(hour) };
    let before = start?.hour === hour ? start : null;
    do {
      const part = await streams.readBack(hour, before, step);
      for (const entry of await keepMatching(streams, part.entries, filter)) {
        entries.push(entry);
        if (entries.length === limit) return { entries, next: entry.position };
      }
      scanned += step;
      step = Math.min(STEP_MAX, step * 2);
      before = part.last;
      if (before !== null && scanned >= SCAN_MAX) return { entries, next: toPosition(before) };
    } while (before !== null);
  }
  return { entries, next: null };
}

/** Labels are read for those alone that fit otherwise. */
async function keepMatching(
  streams: DecisionStreams,
  entries: readonly LogEntry[],
  filter: RecordFilter,
): Promise<readonly LogEntry[]> {
  const { label, ...rest } = filter;
  const found = entries.filter(({ record }) => matchesFilter(record, rest, null));
  if (label === undefined || found.length === 0) return found;
  const labels = await labelsOf(streams, found);
  return found.filter(
    ({ record }) =>
      record.kind !== 'decision' || matchesLabel(labelInForce(labels.get(record.decision_id) ?? []), filter),
  );
}

/** What the narrowest subject of the filter is indexed as; null without a subject. */
function indexNamesOf(filter: RecordFilter): readonly string[] | null {
  for (const part of ['telemetry', 'account', 'device', 'visitor', 'ip'] as const) {
    const hashes = filter[part];
    if (hashes !== undefined) return hashes.map((hash) => indexName(part, hash));
  }
  return filter.subject?.flatMap((hash) => SUBJECT_PARTS.map((part) => indexName(part, hash))) ?? null;
}

/** Goes by the index, hour by hour. */
async function look(
  streams: DecisionStreams,
  filter: RecordFilter,
  names: readonly string[],
  hours: readonly number[],
  start: StreamPlace | null,
  limit: number,
): Promise<LogPage> {
  const entries: LogEntry[] = [];
  let looked = 0;
  for (const [nth, hour] of hours.entries()) {
    if (nth >= INDEXED_HOURS_MAX / names.length || looked >= SCAN_MAX) return { entries, next: endOf(hour) };
    const places = (await streams.findByName(names, streams.minutesOf(hour))).filter(
      (place) => start === null || hour < start.hour || isBefore(place, start),
    );
    for (let at = 0; at < places.length; at += STEP_MAX) {
      const step = places.slice(at, at + STEP_MAX);
      for (const entry of await keepMatching(streams, await streams.entriesOf(step), filter)) {
        entries.push(entry);
        if (entries.length === limit) return { entries, next: entry.position };
      }
      looked += step.length;
      const last = step.at(-1);
      if (last !== undefined && looked >= SCAN_MAX) return { entries, next: toPosition(last) };
    }
  }
  return { entries, next: null };
}

/** After everything that an hour can hold, what came early by another clock too. */
function endOf(hour: number): LogPosition {
  return toPosition({ hour, ms: MS_MAX, sequence: 0 });
}

function isBefore(place: StreamPlace, other: StreamPlace): boolean {
  return place.ms < other.ms || (place.ms === other.ms && place.sequence < other.sequence);
}
