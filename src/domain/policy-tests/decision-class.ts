import type { CompiledPolicy } from '../policy/compile.ts';
import type { Judgement } from '../policy/judgement.ts';
import type { Budget } from '../policy-analysis/budget.ts';
import type { SpaceProvider } from '../policy-analysis/build-space.ts';
import { ANALYSIS_STEPS_MAX, combine } from '../policy-analysis/combine.ts';
import { contributionOf, permit, verdictOf, weigh } from '../policy-analysis/contribution.ts';
import { showFirst } from '../policy-analysis/finding.ts';
import { prepare } from '../policy-analysis/prepare.ts';
import { RESULT } from '../policy-analysis/rule-table.ts';
import { createSummaries } from '../policy-analysis/summaries.ts';
import type { Witness } from '../policy-analysis/witness.ts';
import type { Verdict } from '../verdict.ts';

/** Decisions that come about in the same way. */
export interface DecisionClass {
  readonly verdict: Verdict;
  /** The first rule that contributes the verdict; null where none does. */
  readonly rule: string | null;
  /** Whether that rule is true; otherwise it is unknown. */
  readonly isCertain: boolean;
  /** Whether it is ALLOW although some rule is unknown, and waived. */
  readonly isWaived: boolean;
}

/** A class with evidence that comes to it; null where none could be given that surely does. */
interface ShownClass {
  readonly class: DecisionClass;
  readonly witness: Witness | null;
}

/** Who decides, of some rules. Rules are named by their places. */
interface Decider {
  /** The first rule that exempts; beyond all where none does. */
  readonly exempt: number;
  readonly level: number;
  readonly isCertain: boolean;
  readonly by: number;
  readonly isWaived: boolean;
}

/** Beyond the place of any rule. */
const NOBODY = 1000;
const NONE: Decider = { exempt: NOBODY, level: 0, isCertain: false, by: NOBODY, isWaived: false };

/** The class of a judgement of this policy. */
export function classOf(policy: CompiledPolicy, { trace, verdict }: Judgement): DecisionClass {
  const decider = policy.rules.reduce(
    (sum, rule, place) => merge(sum, deciderOf(rule, place, RESULT[trace[place]?.result ?? 'unknown'])),
    NONE,
  );
  // A step-up that satisfies a CHALLENGE makes it an ALLOW, which is a class by itself.
  return { ...toClass(policy, decider), verdict };
}

/** A text that is the same for the same class. */
export function keyOfClass({ verdict, rule, isCertain, isWaived }: DecisionClass): string {
  return JSON.stringify([verdict, rule, isCertain, isWaived]);
}

/** All classes that evidence can come to by a policy; null where there is too much to combine. */
export function findClasses(
  policy: CompiledPolicy,
  providers: readonly SpaceProvider[],
  steps = ANALYSIS_STEPS_MAX,
): readonly ShownClass[] | null {
  const budget: Budget = { steps };
  const prepared = prepare([policy], [], providers, budget);
  const summaries = createSummaries(NONE, merge);
  const tables = prepared.rules.map(({ rule, table }, place) =>
    weigh(table, summaries, (code) => deciderOf(rule, place, code)),
  );
  const permits = prepared.constraints.map((table) => permit(table, summaries));
  const found = combine([...tables, ...permits], prepared.space, summaries, budget);
  if (found === null) return null;
  const groups = Map.groupBy(found.reached, ({ summary }) => keyOfClass(toClass(policy, summary)));
  return [...groups].flatMap(([key, group]) =>
    group.slice(0, 1).map(({ summary }): ShownClass => {
      const { witness } = showFirst(
        policy,
        prepared.space,
        group,
        (judgement) => keyOfClass(classOf(policy, judgement)) === key,
      );
      return { class: toClass(policy, summary), witness: witness ?? null };
    }),
  );
}

function deciderOf(rule: CompiledPolicy['rules'][number], place: number, code: number): Decider {
  const { isExempting, level, isWaived } = contributionOf(rule, code);
  if (isExempting) return { ...NONE, exempt: place };
  if (level === 0) return { ...NONE, isWaived };
  return { ...NONE, level, isCertain: code === RESULT.true, by: place };
}

/** The order in which decisions list their reasons. */
function merge(left: Decider, right: Decider): Decider {
  const isFirst =
    left.level !== right.level
      ? left.level > right.level
      : left.isCertain !== right.isCertain
        ? left.isCertain
        : left.by <= right.by;
  return {
    ...(isFirst ? left : right),
    exempt: Math.min(left.exempt, right.exempt),
    isWaived: left.isWaived || right.isWaived,
  };
}

function toClass(policy: CompiledPolicy, { exempt, level, isCertain, by, isWaived }: Decider): DecisionClass {
  const isExempted = exempt !== NOBODY;
  const verdict = verdictOf(policy, level, isExempted);
  return {
    verdict,
    rule: policy.rules[isExempted ? exempt : by]?.source.id ?? null,
    isCertain: isExempted || isCertain,
    isWaived: isWaived && verdict === 'ALLOW' && !isExempted,
  };
}
