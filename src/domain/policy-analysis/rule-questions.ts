import type { Budget } from './budget.ts';
import { combine, type Reached } from './combine.ts';
import { contributionOf, permit, weigh } from './contribution.ts';
import { constraintsOn, type Prepared, type TabledRule } from './prepare.ts';
import { RESULT } from './rule-table.ts';
import { createSummaries } from './summaries.ts';

/** Evidence for which a rule is true; null where there is none, undefined beyond the budget. */
export function findTrue(
  prepared: Prepared,
  { table }: TabledRule,
  budget: Budget,
): Reached<{ readonly code: number }> | null | undefined {
  // There is one rule, and nothing to merge.
  const summaries = createSummaries({ code: 0 }, (one) => one);
  const found = combine(
    [
      weigh(table, summaries, (code) => ({ code })),
      ...constraintsOn([table], prepared.constraints).map((one) => permit(one, summaries)),
    ],
    prepared.space,
    summaries,
    budget,
  );
  if (found === null) return undefined;
  return found.reached.find(({ summary }) => summary.code === RESULT.true) ?? null;
}

/**
 * A rule that contributes at least as much wherever this one contributes; null where no single one does,
 * undefined beyond the budget.
 */
export function findShadow(
  prepared: Prepared,
  own: TabledRule,
  budget: Budget,
): TabledRule | null | undefined {
  for (const other of prepared.rules) {
    if (other === own) continue;
    const isShadow = covers(prepared, other, own, budget);
    if (isShadow === null) return undefined;
    if (isShadow) return other;
  }
  return null;
}

interface Two {
  readonly own: number;
  readonly other: number;
}

/** A rule that exempts is stricter to the rule it covers than any verdict. */
const EXEMPTING = 4;

function covers(prepared: Prepared, other: TabledRule, covered: TabledRule, budget: Budget): boolean | null {
  const summaries = createSummaries<Two>({ own: 0, other: 0 }, (left, right) => ({
    own: left.own + right.own,
    other: left.other + right.other,
  }));
  const tables = [covered, other].map((one) =>
    weigh(one.table, summaries, (code): Two => {
      const { isExempting, level } = contributionOf(one.rule, code);
      const weight = isExempting ? EXEMPTING : level;
      return one === covered ? { own: weight, other: 0 } : { own: 0, other: weight };
    }),
  );
  const found = combine(
    [...tables, ...constraintsOn(tables, prepared.constraints).map((one) => permit(one, summaries))],
    prepared.space,
    summaries,
    budget,
  );
  if (found === null) return null;
  return found.reached.every(({ summary }) => summary.own === 0 || summary.other >= summary.own);
}
