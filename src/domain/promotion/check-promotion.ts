import { VERDICTS, type Verdict } from '../verdict.ts';
import { lowerBoundAnytime, upperBound } from './binomial.ts';
import type { PromotionLimits } from './promotion-limits.ts';
import type { SeenChanges } from './seen-changes.ts';

/** What is asked of a promotion, in the order in which it is shown. */
export const PROMOTION_CHECKS = [
  'tests',
  'loss',
  'rollback',
  'decisions',
  'hours',
  'judged',
  'new_blocks',
  'new_challenges',
  'new_allows',
] as const;

/** One of them. */
type PromotionCheckId = (typeof PROMOTION_CHECKS)[number];

/** What became of one check. */
export interface PromotionCheck {
  readonly id: PromotionCheckId;
  readonly passed: boolean;
  /** A count, or a share of 0 to 1; null where it is not known, or nothing is measured. */
  readonly measured: number | null;
  /** The bound of the share that is compared with the limit; null where a count is compared. */
  readonly bound: number | null;
  /** Null where there is no number to keep to. */
  readonly limit: number | null;
  /** For people. */
  readonly detail: string;
}

/** What became of the cases of a policy. `unknown`: they could not be run, or not in time. */
export type CasesRun =
  | { readonly kind: 'run'; readonly passed: number; readonly failed: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly why: string };

/** What lost evidence makes milder. `unknown`: not everything was answered, or not in time. */
export type LossesFound =
  | { readonly kind: 'analyzed'; readonly violations: readonly string[] }
  | { readonly kind: 'unknown'; readonly why: string };

/** What is known of a candidate. */
export interface PromotionEvidence {
  readonly cases: CasesRun;
  readonly losses: LossesFound;
  /** What keeps the policy in force from coming back; none where it can. */
  readonly wayBack: readonly string[];
  /** Null where decisions could not be counted. */
  readonly seen: SeenChanges | null;
}

/** Which check is about changes to a verdict. */
const CHANGE_CHECKS = {
  BLOCK: 'new_blocks',
  CHALLENGE: 'new_challenges',
  ALLOW: 'new_allows',
} as const satisfies Record<Verdict, PromotionCheckId>;

/** The strictest first. */
const CHANGES: readonly Verdict[] = [...VERDICTS].reverse();

/** All checks before a promotion, always in the same order. What is not known passes none. */
export function checkPromotion(
  limits: PromotionLimits,
  evidence: PromotionEvidence,
): readonly PromotionCheck[] {
  const { seen } = evidence;
  return [
    checkCases(limits, evidence.cases),
    checkLosses(evidence.losses),
    checkWayBack(evidence.wayBack),
    checkCount('decisions', seen?.judged ?? null, limits.decisionsMin, 'decisions that were judged'),
    checkCount('hours', seen?.hours ?? null, limits.hoursMin, 'hours with decisions that were judged'),
    checkJudged(limits, seen),
    ...CHANGES.map((verdict) => checkChange(limits, verdict, seen)),
  ];
}

/** True when nothing speaks against it. */
export function isPassed(checks: readonly PromotionCheck[]): boolean {
  return checks.every(({ passed }) => passed);
}

/** How many failures are named. */
const NAMED_MAX = 3;

/** Whether the cases of a candidate are what the limits ask for. */
export function checkCases(
  { needsTests }: Pick<PromotionLimits, 'needsTests'>,
  cases: CasesRun,
): PromotionCheck {
  const check = { id: 'tests', bound: null } as const;
  if (cases.kind === 'unknown')
    return {
      ...check,
      passed: false,
      measured: null,
      limit: 0,
      detail: `the cases were not run: ${cases.why}`,
    };
  if (cases.kind === 'none') {
    const detail = needsTests ? 'there are no cases, which the limits ask for' : 'there are no cases';
    return { ...check, passed: !needsTests, measured: null, limit: null, detail };
  }
  const { passed, failed } = cases;
  const detail = failed.length === 0 ? `${passed} cases pass` : `${failed.length} fail: ${nameFirst(failed)}`;
  return { ...check, passed: failed.length === 0, measured: failed.length, limit: 0, detail };
}

function checkLosses(losses: LossesFound): PromotionCheck {
  const check = { id: 'loss', bound: null, limit: 0 } as const;
  if (losses.kind === 'unknown')
    return {
      ...check,
      passed: false,
      measured: null,
      detail: `it is not known what losses do: ${losses.why}`,
    };
  const { violations } = losses;
  const isGood = violations.length === 0;
  const detail = isGood
    ? 'no loss of evidence makes ALLOW of a stricter answer, but by waived rules'
    : nameFirst(violations);
  return { ...check, passed: isGood, measured: violations.length, detail };
}

function checkWayBack(obstacles: readonly string[]): PromotionCheck {
  const passed = obstacles.length === 0;
  const detail = passed
    ? 'the policy in force can come back: its text compiles'
    : `the policy in force could not come back: ${nameFirst(obstacles)}`;
  return { id: 'rollback', passed, measured: null, bound: null, limit: null, detail };
}

function nameFirst(all: readonly string[]): string {
  const more = all.length - NAMED_MAX;
  return `${all.slice(0, NAMED_MAX).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

const NOT_COUNTED = 'decisions could not be counted';

function checkCount(
  id: 'decisions' | 'hours',
  measured: number | null,
  limit: number,
  what: string,
): PromotionCheck {
  const passed = measured !== null && measured >= limit;
  const detail = measured === null ? NOT_COUNTED : `${what}: ${measured}, and ${limit} are needed`;
  return { id, passed, measured, bound: null, limit, detail };
}

function checkJudged({ notJudgedMax }: PromotionLimits, seen: SeenChanges | null): PromotionCheck {
  const check = { id: 'judged', bound: null, limit: notJudgedMax } as const;
  if (seen === null) return { ...check, passed: false, measured: null, detail: NOT_COUNTED };
  const { judged, notJudged } = seen;
  const all = judged + notJudged;
  if (all === 0) return { ...check, passed: false, measured: null, detail: 'there were no decisions' };
  const measured = notJudged / all;
  return {
    ...check,
    passed: measured <= notJudgedMax,
    measured,
    detail: `${notJudged} of ${all} decisions were not judged`,
  };
}

/** What was not judged may have changed to anything. */
function checkChange(
  { changedMax }: PromotionLimits,
  verdict: Verdict,
  seen: SeenChanges | null,
): PromotionCheck {
  const [id, limit] = [CHANGE_CHECKS[verdict], changedMax[verdict]];
  if (seen === null) return { id, passed: false, measured: null, bound: null, limit, detail: NOT_COUNTED };
  const changed = seen.changedTo[verdict];
  const all = seen.judged + seen.notJudged;
  const bound = upperBound(changed + seen.notJudged, all);
  return {
    id,
    passed: bound <= limit,
    measured: all === 0 ? null : changed / all,
    bound,
    limit,
    detail: `${changed} of ${all} decisions change to ${verdict}: with 95 % confidence at most ${percentOf(bound)}`,
  };
}

/**
 * What is asked of the new policy while it answers and is watched: a check fails only where the share of changes is
 * above its limit beyond chance, so that noise takes nothing back. What was not judged shows nothing.
 */
export function checkWatch(limits: PromotionLimits, seen: SeenChanges): readonly PromotionCheck[] {
  return CHANGES.map((verdict) => {
    const [id, limit, changed] = [
      CHANGE_CHECKS[verdict],
      limits.changedMax[verdict],
      seen.changedTo[verdict],
    ];
    const bound = lowerBoundAnytime(changed, seen.judged);
    return {
      id,
      passed: bound <= limit,
      measured: seen.judged === 0 ? null : changed / seen.judged,
      bound,
      limit,
      detail: `${changed} of ${seen.judged} decisions change to ${verdict}: with 95 % confidence at least ${percentOf(bound)}`,
    };
  });
}

function percentOf(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
