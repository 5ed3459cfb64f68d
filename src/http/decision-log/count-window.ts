import type { DecisionLogReader } from '../../application/decision-log/decision-log.ts';
import { groupWindow } from '../../application/decision-log/group-window.ts';
import { planWindow, type StatsWindow } from '../../application/decision-log/plan-window.ts';
import { type DecisionStats, summariseCounts } from '../../application/decision-log/summarise-counts.ts';
import type { GroupKey } from '../../domain/decision-log/group-keys.ts';
import { STATS_GROUPS } from '../../domain/decision-log/record-counts.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { toRecordFilter } from '../schemas/decision-filter.ts';
import { type CountedStats, type StatsQuery, toDurationMs, toGroupKeys } from '../schemas/stats.ts';
import type { DecisionReadDependencies, DecisionReads } from './decision-reads.ts';

/** What is asked of one window, or of two. */
interface StatsQuestion {
  readonly window: StatsWindow;
  readonly filter: RecordFilter;
  readonly by: readonly GroupKey[];
  readonly isCompared: boolean;
  readonly isDistinct: boolean;
}

/** What a checked query asks. Throws `invalid_request` for a window that cannot be counted. */
export function toStatsQuestion(
  query: StatsQuery,
  { reads, clock }: DecisionReadDependencies,
): StatsQuestion {
  const { window, step, group_by: groupBy, compare, distinct, ...rest } = query;
  const { since, until, ...filter } = toRecordFilter(rest, reads.hashes);
  const by = toGroupKeys(groupBy);
  if (by[0] === by[1]) throw refused([{ field: 'group_by', detail: 'names the same group twice' }]);
  const planned = planWindow(
    {
      windowMs: window === undefined ? null : toDurationMs(window),
      sinceMs: since === undefined ? null : Date.parse(since),
      untilMs: until === undefined ? null : Date.parse(until),
      stepMs: step === undefined ? null : toDurationMs(step),
      isCompared: compare === 'previous',
    },
    clock.nowMs(),
    reads.log.minutesKeptMs,
  );
  if (!planned.ok) throw refused(planned.mistakes);
  const isCompared = compare === 'previous';
  return { window: planned.value, filter, by, isCompared, isDistinct: distinct === 'true' };
}

/** A question, and what answers it. */
interface AskedStats {
  readonly reads: DecisionReads;
  /** For this answer alone. */
  readonly log: DecisionLogReader;
  readonly question: StatsQuestion;
}

/** Counts one window. `version` is absent where the log may have changed since it was read. */
export async function countWindow(
  { reads, log, question: { filter, by, isDistinct } }: AskedStats,
  window: StatsWindow,
): Promise<{ readonly counted: CountedStats; readonly version?: string | null }> {
  const span = { since: toRfc3339(window.sinceMs), until: toRfc3339(window.untilMs) };
  const distinct = isDistinct ? await log.distinct({ ...filter, ...span }) : null;
  const group = STATS_GROUPS.find((name) => name === by[0]);
  if (group === undefined || by.length > 1 || Object.keys(filter).length > 0) {
    const options = { reader: log, formatTime: toRfc3339 };
    const stats: DecisionStats = await groupWindow(options, window, filter, by);
    return { counted: { window, stats, distinct } };
  }
  const counted = await reads.countSteps(window);
  const stats = summariseCounts(counted, window, group);
  const found = { counted: { window, stats, distinct } };
  return isDistinct ? found : { ...found, version: counted.version };
}

function refused(mistakes: readonly { readonly field: string; readonly detail: string }[]): RiskgateError {
  const fields = mistakes.map(({ field, detail }) => ({ pointer: field, detail }));
  return new RiskgateError('invalid_request', 'A window that cannot be counted.', { fields });
}
