import { VERDICTS, type Verdict } from '../verdict.ts';

/** What one policy would have made of the decisions of another. */
export interface SeenChanges {
  /** Hours of the clock with a decision that was judged. */
  readonly hours: number;
  /** Decisions that were judged by both. */
  readonly judged: number;
  /** Those of them that come to another verdict, by the verdict that they change to. */
  readonly changedTo: Readonly<Record<Verdict, number>>;
  /** Decisions that were not judged, and those of which nothing is known. */
  readonly notJudged: number;
}

/** Which of the two policies of a transition is the new one: the one that judged beside, or the one that answered. */
export type NewPolicy = 'candidate' | 'answering';

/** No change. */
export const NO_CHANGES: SeenChanges['changedTo'] = { ALLOW: 0, CHALLENGE: 0, BLOCK: 0 };

/**
 * The changes among counts by transition (see toTransition), of the candidate with this hash. `decisions` is how many
 * there were: what no transition tells of was not judged.
 */
export function toSeenChanges(
  counts: Readonly<Record<string, number>>,
  {
    candidate,
    isNew,
    decisions,
    hours,
  }: {
    readonly candidate: string;
    readonly isNew: NewPolicy;
    readonly decisions: number;
    readonly hours: number;
  },
): SeenChanges {
  const changedTo = { ...NO_CHANGES };
  let judged = 0;
  for (const answered of VERDICTS)
    for (const other of VERDICTS) {
      const count = counts[`${candidate}/${answered}/${other}`] ?? 0;
      judged += count;
      if (answered !== other) changedTo[isNew === 'candidate' ? other : answered] += count;
    }
  return { hours, judged, changedTo, notJudged: Math.max(0, decisions - judged) };
}
