import type { NewPolicy } from '../../domain/promotion/seen-changes.ts';
import type { CountsOfPeriod } from '../decision-log/decision-log.ts';

/** An hour of the decisions of one policy. */
export interface CountedHour {
  /** Decisions that it answered. */
  readonly total: number;
  /** Those of them that the other policy was asked about. */
  readonly asked: number;
  /** By transition. */
  readonly counts: ReadonlyMap<string, number>;
}

interface HoursQuestion {
  readonly answering: string;
  readonly candidate: string;
  readonly isNew: NewPolicy;
}

/** Hours that are clear, oldest first. `isWhole`: none was left out before them. */
interface ClearHours {
  readonly hours: readonly CountedHour[];
  readonly isWhole: boolean;
}

const POLICY = 'policy:';
const TRANSITION = 'transition:';

/**
 * The hours of what was counted as decisions were recorded. A transition does not tell which policy answered; it is
 * never the one that judged. So an hour is clear in which one other policy alone answered. Before a promotion what was
 * seen up to an unclear hour is left out, and has to be seen again; of a policy that answers nothing may be left out,
 * so that null says that it has to be counted otherwise. Null as well where no hour is clear.
 */
export function toCountedHours(
  periods: readonly CountsOfPeriod[],
  { answering, candidate, isNew }: HoursQuestion,
): ClearHours | null {
  const sorted = periods.toSorted((left, right) => left.startMs - right.startMs);
  const unclear = sorted.findLastIndex((period) => !isClear(period, answering, candidate));
  // Also where there are no hours: what was counted is lost.
  if (unclear === sorted.length - 1 || (unclear >= 0 && isNew === 'answering')) return null;
  const hours = sorted.slice(unclear + 1).map(({ counts }) => toHour(counts, answering, candidate));
  return { hours, isWhole: unclear < 0 };
}

function isClear({ counts }: CountsOfPeriod, answering: string, candidate: string): boolean {
  let isAsked = false;
  let isShared = false;
  for (const name of counts.keys()) {
    if (name.startsWith(`${TRANSITION}${candidate}/`)) isAsked = true;
    else if (name.startsWith(POLICY))
      isShared ||= name !== `${POLICY}${answering}` && name !== `${POLICY}${candidate}`;
  }
  return !(isAsked && isShared);
}

function toHour(counts: CountsOfPeriod['counts'], answering: string, candidate: string): CountedHour {
  const own = new Map<string, number>();
  let asked = 0;
  for (const [name, count] of counts) {
    if (!name.startsWith(`${TRANSITION}${candidate}/`)) continue;
    own.set(name.slice(TRANSITION.length), count);
    asked += count;
  }
  return { total: counts.get(`${POLICY}${answering}`) ?? 0, asked, counts: own };
}
