import type { Budget } from './budget.ts';
import { combine, type Reached } from './combine.ts';
import { contributionOf, permit, weigh } from './contribution.ts';
import type { Prepared, TabledRule } from './prepare.ts';
import { RESULT } from './rule-table.ts';
import { createSummaries } from './summaries.ts';

/** What the rules of a policy come to together with the condition of an assertion. */
interface Hit {
  /** 0 for no rule, else one more than the strictness of the strictest. */
  readonly level: number;
  readonly isExempted: boolean;
  /** True where the condition of the assertion is true. */
  readonly isHit: boolean;
}

/** All that the policy at place 0 can come to where a condition is true. Null where the budget does not suffice. */
export function findHits(
  prepared: Prepared,
  condition: TabledRule,
  budget: Budget,
): readonly Reached<Hit>[] | null {
  const none: Hit = { level: 0, isExempted: false, isHit: false };
  const summaries = createSummaries(none, (left, right) => ({
    level: Math.max(left.level, right.level),
    isExempted: left.isExempted || right.isExempted,
    isHit: left.isHit || right.isHit,
  }));
  const own = prepared.rules
    .filter((rule) => rule.policy === 0)
    .map(({ rule, table }) =>
      weigh(table, summaries, (code): Hit => {
        const { isExempting, level } = contributionOf(rule, code);
        return { level, isExempted: isExempting, isHit: false };
      }),
    );
  const asserted = weigh(condition.table, summaries, (code) => ({ ...none, isHit: code === RESULT.true }));
  const permits = prepared.constraints.map((table) => permit(table, summaries));
  const found = combine([...own, asserted, ...permits], prepared.space, summaries, budget);
  return found === null ? null : found.reached.filter(({ summary }) => summary.isHit);
}
