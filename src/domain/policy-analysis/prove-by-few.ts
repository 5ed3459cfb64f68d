import type { CompiledPolicy, CompiledRule } from '../policy/compile.ts';
import { strictnessOf } from '../verdict.ts';
import type { Budget } from './budget.ts';
import type { SpaceProvider } from './build-space.ts';
import { findHits } from './never-question.ts';
import { prepare } from './prepare.ts';
import { collectUses } from './signal-uses.ts';

/** The level of an ALLOW that a rule says; 0 is that no rule says anything. */
const ALLOW_LEVEL = strictnessOf('ALLOW') + 1;

/**
 * True where a policy is never ALLOW when this one of `conditions` is true, as few of its rules show already:
 * those that read what the condition reads, and those that exempt. Each of the others makes an answer stricter
 * or leaves it, so that none can bring the ALLOW back. False says nothing. Costs steps.
 */
export function isNeverAllowed(
  policy: CompiledPolicy,
  condition: CompiledRule,
  conditions: CompiledPolicy,
  providers: readonly SpaceProvider[],
  budget: Budget,
): boolean {
  const read = namesOf(condition);
  const rules = policy.rules.filter(
    (rule) => rule.source.exempt || [...namesOf(rule)].some((name) => read.has(name)),
  );
  const few = [
    { ...policy, rules },
    { ...conditions, rules: [condition] },
  ];
  const prepared = prepare(few, [], providers, budget, 'read');
  const asserted = prepared.rules.filter((rule) => rule.policy === 1);
  return asserted.every((rule) => {
    const hits = findHits(prepared, rule, budget);
    // Where these rules say nothing, another may say ALLOW, whatever else the policy says.
    return hits?.every(({ summary }) => !summary.isExempted && summary.level > ALLOW_LEVEL) ?? false;
  });
}

function namesOf({ ast }: CompiledRule): ReadonlySet<string> {
  return collectUses(ast, new Map());
}
