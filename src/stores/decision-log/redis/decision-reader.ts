import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type DecisionLogReader,
  type LogEntry,
  type LogPosition,
  type LogSlice,
  MINUTES_KEPT_MS,
} from '../../../application/decision-log/decision-log.ts';
import { lookThrough } from '../look-through.ts';
import { newChange, watchVersion } from './decision-changes.ts';
import { readCounts, readCountVersions } from './decision-counts.ts';
import { addLabelTo, find, labelsOf } from './decision-labels.ts';
import { type StreamPlace, toPlace, toPosition } from './decision-position.ts';
import { search } from './decision-search.ts';
import type { RedisDecisionOptions } from './decision-sink.ts';
import { DecisionStreams } from './decision-streams.ts';

/** Pages that one question of groups and subjects reads: some 100,000 records are looked at. */
const PAGES_MAX = 20;

/** Reads what every replica has appended. */
export function createRedisDecisionReader(
  options: RedisDecisionOptions,
): DecisionLogReader & { close(): void } {
  const streams = new DecisionStreams(options.redis, options.clock, options.recordsKeptMs);
  const changesOf = async (hours: readonly number[]): Promise<readonly (string | null)[]> =>
    streams.sendAll(hours, (hour) => streams.redis.get(streams.keysOf(hour).changes));
  const version = async (): Promise<string> => {
    // Every hour: an old one changes by a label, and when Redis has lost it.
    const hours = streams.hours();
    const found = await changesOf(hours);
    // It may be empty, or have lost all that it held before: no version says which.
    if (found.every((change) => change === null)) return newChange();
    return `${hours[0]}.${found.map((change) => change ?? '').join('.')}`;
  };
  // Nothing is appended to an hour that is over.
  const changes = watchVersion(async () => (await changesOf(streams.hours().slice(-3))).join());
  const pages: Pick<DecisionLogReader, 'query' | 'labelsOf'> = {
    query: (filter, query) => search(streams, filter, query),
    labelsOf: (entries) => labelsOf(streams, entries),
  };
  const { nowMs } = options.clock;
  return {
    stepsTogether: 0,
    minutesKeptMs: MINUTES_KEPT_MS,
    ...pages,
    ...lookThrough({ reader: pages, pagesMax: PAGES_MAX, pause: nextTurn, nowMs }),
    find: (id) => find(streams, id),
    readAfter: (position, limit) => readAfter(streams, position, limit),
    newest: () => streams.newest(),
    counts: (asked) => readCounts(streams, options.countsKeptMs, asked),
    countVersions: (asked) => readCountVersions(streams, options.countsKeptMs, asked),
    label: (id, label, isTimeGiven, seen = null) =>
      addLabelTo(streams, options, id, { label, isTimeGiven, seen }),
    version,
    onChange: changes.listen,
    close: changes.close,
  };
}

async function readAfter(
  streams: DecisionStreams,
  position: LogPosition | null,
  limit: number,
): Promise<LogSlice> {
  const hours = streams.hours();
  const [oldest = 0, latest = 0] = [hours.at(0), hours.at(-1)];
  const asked = position === null ? null : toPlace(position);
  const start = asked !== null && asked.hour >= oldest && asked.hour <= latest ? asked : null;
  const isGap = position !== null && (start === null || !(await streams.holds(start)));
  // Read before what follows: whatever comes in between is then read with that, or after this one.
  const newest = isGap ? await streams.newest() : null;
  const entries: LogEntry[] = [];
  let last: StreamPlace | null = null;
  for (const hour of hours) {
    if (start !== null && hour < start.hour) continue;
    const after = start?.hour === hour ? start : null;
    const part = await streams.readOn(hour, after, limit - entries.length);
    entries.push(...part.entries);
    last = part.last ?? last;
    // An hour that is not over may still grow: what stands in the next one waits until then.
    if (!part.isOver || entries.length >= limit) break;
  }
  return { entries, position: last === null ? (isGap ? newest : position) : toPosition(last), isGap };
}
