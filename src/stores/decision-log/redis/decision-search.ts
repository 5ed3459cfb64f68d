import type {
  LogEntry,
  LogPage,
  LogPosition,
  QueryOptions,
} from '../../../application/decision-log/decision-log.ts';
import { matchesFilter, type RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import { hourOf, MS_MAX, type StreamPlace, toPlace, toPosition } from './decision-position.ts';
import type { DecisionStreams } from './decision-streams.ts';

/** Records that one query looks through: some 50 ms. An hour without any counts as a step. */
const SCAN_MAX = 5_000;
/**
 * Records that are read together: as many as are wanted, and more each time that few of them fit. These take
 * some milliseconds in one turn of the event loop.
 */
const STEP_MAX = 256;
/** Hours whose index one query reads for one hash, minute by minute: some 20 ms. */
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
  const subject = subjectOf(filter);
  return subject === null
    ? scan(streams, filter, hours, start, limit)
    : look(streams, filter, subject, hours, start, limit);
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
      for (const entry of part.entries) {
        if (!matchesFilter(entry.record, filter)) continue;
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

type Subject = readonly ['telemetry' | 'device' | 'account', readonly string[]];

function subjectOf({ telemetry, device, account }: RecordFilter): Subject | null {
  if (telemetry !== undefined) return ['telemetry', telemetry];
  if (account !== undefined) return ['account', account];
  return device === undefined ? null : ['device', device];
}

/** Goes by the index, hour by hour. */
async function look(
  streams: DecisionStreams,
  filter: RecordFilter,
  [part, hashes]: Subject,
  hours: readonly number[],
  start: StreamPlace | null,
  limit: number,
): Promise<LogPage> {
  const entries: LogEntry[] = [];
  let looked = 0;
  for (const [nth, hour] of hours.entries()) {
    if (nth >= INDEXED_HOURS_MAX / hashes.length || looked >= SCAN_MAX) return { entries, next: endOf(hour) };
    const places = (await streams.findByName(part, hashes, streams.minutesOf(hour))).filter(
      (place) => start === null || hour < start.hour || isBefore(place, start),
    );
    for (let at = 0; at < places.length; at += STEP_MAX) {
      const step = places.slice(at, at + STEP_MAX);
      for (const entry of await streams.entriesOf(step)) {
        if (!matchesFilter(entry.record, filter)) continue;
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
