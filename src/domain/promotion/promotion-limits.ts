import { z } from 'zod';
import type { Verdict } from '../verdict.ts';

const PERCENTAGE = /^(\d{1,3}(?:\.\d{1,6})?)\s?%$/;
const MISTAKE = 'must be a percentage from 0% to 100%, such as 0.5%';

/** The share of a percentage, 0 to 1; null for a text that is none. */
export function toShare(percentage: string): number | null {
  const percent = Number(PERCENTAGE.exec(percentage)?.[1] ?? Number.NaN);
  // Divided by a whole number, `0.5%` is the number that 0.005 is.
  return percent <= 100 ? percent / 100 : null;
}

const percentage = z.string(MISTAKE).refine((text) => toShare(text) !== null, MISTAKE);
const changes = percentage.refine(
  (text) => toShare(text) !== 0,
  'must be more than 0%: no number of decisions shows that there is no change',
);

/** Whether a candidate must have cases. */
const TESTS = ['required', 'optional'] as const;
/** A month: histories seldom keep more. */
const HOURS_MAX = 720;
const DECISIONS_MAX = 100_000_000;

/**
 * What a candidate has to show before it can take the place of the policy in whose file this stands. It is no part
 * of what decides.
 */
export const promotionSchema = z.strictObject({
  min_decisions: z
    .int()
    .min(1)
    .max(DECISIONS_MAX)
    .default(1000)
    .describe('Decisions of the policy in force that it must have judged.'),
  min_hours: z
    .int()
    .min(1)
    .max(HOURS_MAX)
    .default(24)
    .describe('Hours of the clock in which it must have judged decisions.'),
  max_new_blocks: changes
    .default('0.5%')
    .describe('Of all decisions: how many may become BLOCK that were not.'),
  max_new_challenges: changes.default('1%').describe('How many may become CHALLENGE that were not.'),
  max_new_allows: changes.default('0.5%').describe('How many may become ALLOW that were not.'),
  max_not_judged: percentage
    .default('0%')
    .describe('How many it may have left unjudged. They count as changes of every kind all the same.'),
  tests: z
    .enum(TESTS)
    .default('required')
    .describe('Whether it must have cases. Those that it has must pass either way.'),
  waived_rules: z
    .array(z.string().min(1).max(64))
    .max(500)
    .default([])
    .describe(
      'Ids of rules, also of rules to come, whose `on_unknown: IGNORE` is known and wanted: what is lost may make ALLOW of a stricter answer by these alone.',
    ),
  watch_hours: z
    .int()
    .min(1)
    .max(HOURS_MAX)
    .default(24)
    .describe(
      'How long it is watched once it is in force: when a limit of changes is exceeded, the policy before it comes back by itself.',
    ),
});

/** The section `promotion` of a policy file, defaults filled in. */
type PromotionSection = z.output<typeof promotionSchema>;

/** What a candidate has to show; shares are 0 to 1. */
export interface PromotionLimits {
  readonly decisionsMin: number;
  readonly hoursMin: number;
  /** Of all decisions, how many may come to this verdict that came to another. */
  readonly changedMax: Readonly<Record<Verdict, number>>;
  readonly notJudgedMax: number;
  readonly needsTests: boolean;
  readonly waivedRules: readonly string[];
  readonly watchHours: number;
}

/** The section as numbers. A percentage that cannot be read, which no checked policy has, permits nothing. */
export function toPromotionLimits(section: PromotionSection): PromotionLimits {
  const shareOf = (text: string) => toShare(text) ?? 0;
  return {
    decisionsMin: section.min_decisions,
    hoursMin: section.min_hours,
    changedMax: {
      ALLOW: shareOf(section.max_new_allows),
      CHALLENGE: shareOf(section.max_new_challenges),
      BLOCK: shareOf(section.max_new_blocks),
    },
    notJudgedMax: shareOf(section.max_not_judged),
    needsTests: section.tests === 'required',
    waivedRules: section.waived_rules,
    watchHours: section.watch_hours,
  };
}
