import {
  type CountPeriod,
  type CountsOfPeriod,
  type CountsOptions,
  MINUTES_KEPT_MS,
  PERIOD_MS,
} from '../../../application/decision-log/decision-log.ts';
import { HOUR_MS, hourOf } from './decision-position.ts';
import type { DecisionStreams } from './decision-streams.ts';

/** Hashes whose replies are taken apart together: about 6,000 counts of a busy service. */
const TOGETHER = 16;

/** Counts of the periods that are still kept. */
export async function readCounts(
  streams: DecisionStreams,
  countsKeptMs: number,
  { sinceMs, untilMs, period }: CountsOptions,
): Promise<readonly CountsOfPeriod[]> {
  const lengthMs = PERIOD_MS[period];
  const keptMs = period === 'hour' ? countsKeptMs : Math.min(countsKeptMs, MINUTES_KEPT_MS);
  const first = Math.ceil(Math.max(sinceMs, streams.nowMs() - keptMs) / lengthMs);
  const last = Math.ceil(Math.min(untilMs, streams.nowMs() + HOUR_MS) / lengthMs) - 1;
  const found: CountsOfPeriod[] = [];
  for (let number = first; number <= last; number += TOGETHER) {
    const starts = Array.from(
      { length: Math.min(TOGETHER, last + 1 - number) },
      (_, place) => (number + place) * lengthMs,
    );
    const replies = await streams.sendAll(starts, (startMs) =>
      streams.redis.hgetall(keyOf(streams, startMs, period)),
    );
    replies.forEach((fields, place) => {
      const counts = new Map(Object.entries(fields).map(([name, count]) => [name, Number(count)]));
      if (counts.size > 0) found.push({ startMs: starts[place] ?? 0, counts });
    });
  }
  return found;
}

function keyOf(streams: DecisionStreams, startMs: number, period: CountPeriod): string {
  const keys = streams.keysOf(hourOf(startMs));
  switch (period) {
    case 'minute':
      return `${keys.minuteCounts}${startMs}`;
    case 'five_minutes':
      return `${keys.fiveMinuteCounts}${startMs}`;
    case 'hour':
      return keys.hourCounts;
  }
}

/** The changes of each hour; nothing for one whose counts are no longer kept, and for one without any. */
export async function readCountVersions(
  streams: DecisionStreams,
  countsKeptMs: number,
  { sinceMs, untilMs }: Pick<CountsOptions, 'sinceMs' | 'untilMs'>,
): Promise<readonly string[]> {
  const first = hourOf(sinceMs);
  const hours = Array.from({ length: Math.ceil(untilMs / HOUR_MS) - first }, (_, place) => first + place);
  const oldestMs = streams.nowMs() - countsKeptMs;
  const changes = await streams.sendAll(hours, async (hour) =>
    hour * HOUR_MS < oldestMs ? null : streams.redis.get(streams.keysOf(hour).changes),
  );
  return changes.map((change) => change ?? '');
}
