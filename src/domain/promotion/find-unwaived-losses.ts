import type { CompiledPolicy } from '../policy/compile.ts';
import type { Budget } from '../policy-analysis/budget.ts';
import type { SpaceProvider } from '../policy-analysis/build-space.ts';
import { ANALYSIS_STEPS_MAX } from '../policy-analysis/combine.ts';
import { findLosses } from '../policy-analysis/find-losses.ts';
import { prepare } from '../policy-analysis/prepare.ts';
import type { LossesFound } from './check-promotion.ts';

/**
 * Where a loss of evidence makes ALLOW of a stricter answer, rules aside whose waiver is known (see waived_rules).
 * Without a rule that is waived there is no such place; what these rules let through they let through by
 * themselves, so that what remains without them is the work of others. What cannot be enumerated is taken for one.
 */
export function findUnwaivedLosses(
  policy: CompiledPolicy,
  waivedRules: readonly string[],
  providers: readonly SpaceProvider[],
  steps = ANALYSIS_STEPS_MAX,
): LossesFound {
  const others = {
    ...policy,
    rules: policy.rules.filter(
      ({ source }) => source.on_unknown !== 'IGNORE' || !waivedRules.includes(source.id),
    ),
  };
  const budget: Budget = { steps };
  const prepared = prepare([others], [], providers, budget);
  const findings = findLosses(prepared, others, budget);
  const unanswered = findings.find(({ kind }) => kind === 'not_answered');
  if (unanswered !== undefined || !prepared.isWhole)
    return { kind: 'unknown', why: unanswered?.message ?? prepared.limits.join('; ') };
  return {
    kind: 'analyzed',
    violations: findings.filter(({ kind }) => kind === 'loss_allows').map(({ message }) => message),
  };
}
