import type { GroupedDecisions } from '../../domain/decision-log/decision-groups.ts';
import {
  type NewPolicy,
  NO_CHANGES,
  type SeenChanges,
  toSeenChanges,
} from '../../domain/promotion/seen-changes.ts';
import { type DecisionLogReader, PERIOD_MS } from '../decision-log/decision-log.ts';

/** Whose decisions are compared with what which other policy would have made of them. */
interface ChangesQuestion {
  /** The hash of the policy that answered. */
  readonly answering: string;
  /** The hash of the one that judged beside it. */
  readonly candidate: string;
  readonly isNew: NewPolicy;
  /** Unix milliseconds: decisions from the hour of this time on. */
  readonly sinceMs: number;
}

/** Counts changes among the decisions of the log. Rejects with `store_unavailable`. */
export type CountChanges = (question: ChangesQuestion) => Promise<SeenChanges>;

interface CountChangesOptions {
  readonly reader: Pick<DecisionLogReader, 'group'>;
  readonly nowMs: () => number;
  readonly formatTime: (unixMs: number) => string;
}

const HOUR_MS = PERIOD_MS.hour;

/**
 * Builds the count. It begins with the first hour that has a decision which the candidate was asked about: those of
 * the rest of that hour which it was not asked about were made before it was there. Of later decisions nothing known
 * is not judged.
 */
export function createCountChanges({ reader, nowMs, formatTime }: CountChangesOptions): CountChanges {
  return async ({ answering, candidate, isNew, sinceMs }) => {
    const untilMs = Math.floor(nowMs() / HOUR_MS) * HOUR_MS + HOUR_MS;
    const group = (fromMs: number, stepMs: number) =>
      reader.group({
        filter: { policy: answering, since: formatTime(fromMs), until: formatTime(untilMs) },
        sinceMs: fromMs,
        stepMs,
        by: ['transition'],
      });
    const fromMs = Math.floor(sinceMs / HOUR_MS) * HOUR_MS;
    // What counts begins with the next hour.
    if (fromMs >= untilMs) return { hours: 0, judged: 0, changedTo: NO_CHANGES, notJudged: 0 };
    const hourly = await group(fromMs, HOUR_MS);
    const asked = hourly.steps.map((step) => ({ ...step, asked: askedIn(step.counts, candidate) }));
    const seen = asked.filter((step) => step.asked > 0);
    const [first] = seen;
    if (first === undefined) {
      const notJudged = hourly.steps.reduce((sum, { total }) => sum + total, 0);
      return { hours: 0, judged: 0, changedTo: NO_CHANGES, notJudged };
    }
    // One step: no value is left out of it.
    const whole = await group(first.startMs, untilMs - first.startMs);
    const { counts, decisions } = addUp(whole);
    const isAllKnown = hourly.valuesOmitted === 0 && whole.coveredFromMs === null;
    const before = isAllKnown ? first.total - first.asked : 0;
    const hours = seen.filter((step) => isJudgedIn(step.counts, candidate)).length;
    return toSeenChanges(counts, { candidate, isNew, decisions: decisions - before, hours });
  };
}

function askedIn(counts: ReadonlyMap<string, number>, candidate: string): number {
  let asked = 0;
  for (const [transition, count] of counts) if (transition.startsWith(`${candidate}/`)) asked += count;
  return asked;
}

/** Whether there is a decision that it judged. */
function isJudgedIn(counts: ReadonlyMap<string, number>, candidate: string): boolean {
  return toSeenChanges(Object.fromEntries(counts), { candidate, ...NOTHING_ELSE }).judged > 0;
}

const NOTHING_ELSE = { isNew: 'candidate', decisions: 0, hours: 0 } as const;

function addUp({ steps }: GroupedDecisions): { counts: Record<string, number>; decisions: number } {
  const counts: Record<string, number> = {};
  let decisions = 0;
  for (const step of steps) {
    decisions += step.total;
    for (const [transition, count] of step.counts) counts[transition] = (counts[transition] ?? 0) + count;
  }
  return { counts, decisions };
}
