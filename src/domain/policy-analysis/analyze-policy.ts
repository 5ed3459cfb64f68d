import type { CompiledPolicy } from '../policy/compile.ts';
import { VERDICTS, type Verdict } from '../verdict.ts';
import type { Budget } from './budget.ts';
import type { SpaceProvider } from './build-space.ts';
import { ANALYSIS_STEPS_MAX } from './combine.ts';
import { verdictOf } from './contribution.ts';
import { decidedBy, findDecisive } from './decisiveness.ts';
import { findLosses } from './find-losses.ts';
import { type Finding, showFirst, toFinding } from './finding.ts';
import { findBypasses } from './milder-changes.ts';
import { type Prepared, prepare, type TabledRule } from './prepare.ts';
import { findShadow, findTrue } from './rule-questions.ts';
import type { Witness } from './witness.ts';

/** What is known of a policy without running it on traffic. */
interface Analysis {
  readonly findings: readonly Finding[];
  /** For each verdict that evidence comes to, some that does, and how many combinations do. */
  readonly verdicts: readonly {
    readonly verdict: Verdict;
    readonly combinations: number;
    readonly witness?: Witness;
  }[];
  /** What the values that were tried do not stand for. */
  readonly limits: readonly string[];
  readonly combinations: number;
  /** False where a bound was reached. */
  readonly isComplete: boolean;
}

/** Answers what can be asked of a policy alone. */
export function analyzePolicy(
  policy: CompiledPolicy,
  providers: readonly SpaceProvider[],
  steps = ANALYSIS_STEPS_MAX,
): Analysis {
  const budget: Budget = { steps };
  const prepared = prepare([policy], [], providers, budget);
  const { verdicts, findings: ofRules } = findAboutRules(prepared, policy, budget);
  const findings = [
    ...ofRules,
    ...findLosses(prepared, policy, budget),
    ...findBypasses(prepared, policy, budget),
  ];
  return {
    findings,
    verdicts,
    limits: prepared.limits,
    combinations: prepared.combinations,
    isComplete: prepared.isWhole && findings.every(({ kind }) => kind !== 'not_answered'),
  };
}

function findAboutRules(
  prepared: Prepared,
  policy: CompiledPolicy,
  budget: Budget,
): Pick<Analysis, 'verdicts' | 'findings'> {
  const { space } = prepared;
  const decisive = findDecisive(prepared, budget);
  if (decisive === null) return { verdicts: [], findings: [unanswered('who decides')] };
  const reached = decisive.reached.map((one) => ({
    ...one,
    verdict: verdictOf(policy, one.summary.level, one.summary.exempt !== -1),
  }));
  const deciding = new Set(decisive.reached.map(({ summary }) => decidedBy(policy, summary)));
  const verdicts = VERDICTS.flatMap((verdict) => {
    const own = reached.filter((one) => one.verdict === verdict);
    if (own.length === 0) return [];
    const { witness } = showFirst(policy, space, own, (judgement) => judgement.verdict === verdict);
    const combinations = own.reduce((sum, { count }) => sum + count, 0);
    return [{ verdict, combinations, ...(witness && { witness }) }];
  });
  const unreachable = VERDICTS.filter((verdict) => reached.every((one) => one.verdict !== verdict));
  return {
    verdicts,
    findings: [
      ...prepared.rules.flatMap((rule, place) => aboutRule(prepared, rule, deciding.has(place), budget)),
      ...unreachable.map((verdict) => toFinding('unreachable_verdict', `no evidence comes to ${verdict}`)),
    ],
  };
}

function aboutRule(
  prepared: Prepared,
  own: TabledRule,
  decides: boolean,
  budget: Budget,
): readonly Finding[] {
  const { id: rule, observe } = own.rule.source;
  const found = findTrue(prepared, own, budget);
  if (found === undefined) return [unanswered(`whether ${rule} can be true`)];
  if (found === null) return [toFinding('dead_rule', `${rule}: no evidence makes it true`, { rule })];
  if (decides || observe) return [];
  const shadow = findShadow(prepared, own, budget);
  if (shadow === undefined) return [unanswered(`what stands in front of ${rule}`)];
  if (shadow === null)
    return [toFinding('never_decisive', `${rule}: the verdict is the same without it`, { rule })];
  const by = shadow.rule.source.id;
  return [toFinding('shadowed_rule', `${rule}: ${by} contributes as much wherever it contributes`, { rule })];
}

function unanswered(what: string): Finding {
  return toFinding('not_answered', `${what}: there is too much to combine`);
}
