import type { AlertRule, CountRule, ShareRule, SpikeRule } from './alert-rule.ts';

/** Why nothing can be read. `not_agreed`: Redis does not say what is in force. */
export const WHYS_UNKNOWN = ['no_log', 'unreadable', 'no_history', 'no_provider', 'not_agreed'] as const;

/**
 * What was read for a rule. `too_few`: there are not enough decisions to say. `unknown`: what it is read from
 * cannot be had. Neither of them says that all is well.
 */
export type Reading =
  | {
      readonly kind: 'measured';
      readonly isOver: boolean;
      readonly value: number;
      /** What it is made of: decisions, or times that a rule was true. Null where there is no such number. */
      readonly n: number | null;
      /** Which rule, provider or list it is about; null where that is all. */
      readonly about: string | null;
    }
  | { readonly kind: 'too_few'; readonly n: number }
  | { readonly kind: 'unknown'; readonly why: (typeof WHYS_UNKNOWN)[number] };

/** Decisions of a window. */
interface DecisionCounts {
  readonly total: number;
  readonly blocked: number;
  readonly challenged: number;
  readonly degraded: number;
}

/** How often each rule was true in an hour, and in how many decisions. */
export interface HourCounts {
  readonly total: number;
  readonly fired: ReadonlyMap<string, number>;
}

/** A day says something of a usual one; fewer may be a holiday, or the day of the release. */
const DAYS_MIN = 3;

const PART_OF = {
  block_rate: 'blocked',
  challenge_rate: 'challenged',
  degraded_share: 'degraded',
} as const satisfies Record<ShareRule['when'], keyof DecisionCounts>;

/** Judges a share of the decisions of a window. */
export function judgeShare(rule: ShareRule, counts: DecisionCounts): Reading {
  const { total } = counts;
  if (total < rule.minimum) return { kind: 'too_few', n: total };
  const value = counts[PART_OF[rule.when]] / total;
  return { kind: 'measured', isOver: value > rule.above, value, n: total, about: null };
}

/**
 * Judges how often rules were true in the last hour against the mean of the same hour of the days before: of all
 * rules, the one that rose most. Days without a decision are left out; with fewer than three others there is
 * nothing to compare with. An hour without a decision does not say that a rise is over.
 */
export function judgeSpike(rule: SpikeRule, current: HourCounts, days: readonly HourCounts[]): Reading {
  const known = days.filter(({ total }) => total > 0);
  if (known.length < DAYS_MIN) return { kind: 'unknown', why: 'no_history' };
  if (current.total === 0) return { kind: 'too_few', n: 0 };
  const codes = rule.rule === undefined ? [...current.fired.keys()] : [rule.rule];
  const risen = codes
    .map((about) => {
      const n = current.fired.get(about) ?? 0;
      const usual = known.reduce((sum, { fired }) => sum + (fired.get(about) ?? 0), 0) / known.length;
      // Of a rule that was never true one time counts as usual, so that its rise is a number.
      return { about, n, value: n / Math.max(usual, 1) };
    })
    .filter(({ n }) => n >= rule.minimum)
    .sort((left, right) => right.value - left.value);
  const [most] = risen;
  if (most === undefined)
    return { kind: 'measured', isOver: false, value: 0, n: null, about: rule.rule ?? null };
  return { kind: 'measured', isOver: most.value > rule.times, ...most };
}

/** Judges what is so or not, of one of several: over while any of them is. */
export function judgeStates(affected: readonly string[]): Reading {
  const about = affected.length === 0 ? null : affected.join(', ');
  return { kind: 'measured', isOver: about !== null, value: affected.length, n: null, about };
}

/** Judges how often something happened. */
export function judgeCount(rule: CountRule, value: number): Reading {
  return { kind: 'measured', isOver: value > rule.above, value, n: null, about: rule.list ?? null };
}

/** What the value of a rule is compared with; null where it is so or not. */
export function thresholdOf(rule: AlertRule): number | null {
  if ('above' in rule) return rule.above;
  return 'times' in rule ? rule.times : null;
}
