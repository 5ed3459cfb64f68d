import type { RuleStat } from '../wire-rules.ts';

/** By what rules can be ordered, and which way. */
export const RULE_ORDERS = {
  policy: 'none',
  fired: 'descending',
  decisive: 'descending',
  unknown: 'descending',
  precision: 'ascending',
  recall: 'descending',
} as const;

/** One of them. */
export type Order = keyof typeof RULE_ORDERS;

/** The rules in an order; those without what it asks for come last, in the order of the policy. */
export function orderRules(rules: readonly RuleStat[], order: Order): readonly RuleStat[] {
  if (order === 'policy') return rules;
  const keyOf = (rule: RuleStat): number | null => {
    const value = rule[order];
    return typeof value === 'number' ? value : value.share;
  };
  const sign = RULE_ORDERS[order] === 'ascending' ? 1 : -1;
  return rules.toSorted((left, right) => {
    const [one, other] = [keyOf(left), keyOf(right)];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return sign * (one - other);
  });
}

/** What was true of somebody who turned out to be legitimate, by the label that says so. */
export function falsePositivesOf({
  labels,
}: Pick<RuleStat, 'labels'>): readonly (readonly [label: string, count: number])[] {
  return ['legit', 'challenge_passed'].flatMap((label) => {
    const count = labels[label] ?? 0;
    return count > 0 ? [[label, count] as const] : [];
  });
}
