import {
  type NewPolicy,
  NO_CHANGES,
  type SeenChanges,
  toSeenChanges,
} from '../../domain/promotion/seen-changes.ts';
import { type DecisionLogReader, PERIOD_MS } from '../decision-log/decision-log.ts';
import { type CountedHour, toCountedHours } from './counted-hours.ts';

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
  readonly reader: Pick<DecisionLogReader, 'group' | 'counts'>;
  readonly nowMs: () => number;
  readonly formatTime: (unixMs: number) => string;
}

const HOUR_MS = PERIOD_MS.hour;

/**
 * Builds the count. It begins with the first hour that has a decision which the candidate was asked about: those of
 * the rest of that hour which it was not asked about were made before it was there. Of later decisions nothing known
 * is not judged. Where the log looks at its latest records alone, what it has counted by the hour tells all the same,
 * as far as it is clear which policy answered.
 */
export function createCountChanges({ reader, nowMs, formatTime }: CountChangesOptions): CountChanges {
  return async (question) => {
    const { answering, candidate, sinceMs } = question;
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
    if (hourly.coveredFromMs !== null) {
      const periods = await reader.counts({ sinceMs: fromMs, untilMs, period: 'hour' });
      const clear = toCountedHours(periods, question);
      if (clear !== null) return addHours(clear.hours, question, clear.isWhole);
    }
    const hours = hourly.steps.map((step) => ({ ...step, asked: askedIn(step.counts, candidate) }));
    const first = hours.find(({ asked }) => asked > 0);
    if (first === undefined) return addHours(hours, question, false);
    // One step: no value is left out of it.
    const whole = await group(first.startMs, untilMs - first.startMs);
    const { counts, decisions } = addUp(whole);
    const isAllKnown = hourly.valuesOmitted === 0 && whole.coveredFromMs === null;
    const before = isAllKnown ? first.total - first.asked : 0;
    return toSeenChanges(counts, {
      ...question,
      decisions: decisions - before,
      hours: hours.filter((step) => isJudgedIn(step, question)).length,
    });
  };
}

/** Of hours of which all is known. `isFromFirst`: what the candidate was not asked in the first one came before it. */
function addHours(
  hours: readonly CountedHour[],
  question: ChangesQuestion,
  isFromFirst: boolean,
): SeenChanges {
  const begun = hours.findIndex(({ asked }) => asked > 0);
  const seen = hours.slice(Math.max(0, begun));
  const [first] = seen;
  const before = isFromFirst && begun >= 0 && first !== undefined ? first.total - first.asked : 0;
  const { counts, decisions } = addUp({ steps: seen });
  return toSeenChanges(counts, {
    ...question,
    decisions: decisions - before,
    hours: seen.filter((hour) => isJudgedIn(hour, question)).length,
  });
}

function askedIn(counts: ReadonlyMap<string, number>, candidate: string): number {
  let asked = 0;
  for (const [transition, count] of counts) if (transition.startsWith(`${candidate}/`)) asked += count;
  return asked;
}

/** Whether there is a decision that it judged. */
function isJudgedIn({ counts }: Pick<CountedHour, 'counts'>, question: ChangesQuestion): boolean {
  return toSeenChanges(Object.fromEntries(counts), { ...question, decisions: 0, hours: 0 }).judged > 0;
}

function addUp({ steps }: { readonly steps: readonly Pick<CountedHour, 'counts' | 'total'>[] }): {
  counts: Record<string, number>;
  decisions: number;
} {
  const counts: Record<string, number> = {};
  let decisions = 0;
  for (const step of steps) {
    decisions += step.total;
    for (const [transition, count] of step.counts) counts[transition] = (counts[transition] ?? 0) + count;
  }
  return { counts, decisions };
}
