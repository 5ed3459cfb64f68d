import type { PolicyProvider } from '../policy/cel-environment.ts';
import { type CompiledPolicy, compilePolicy } from '../policy/compile.ts';
import type { CompileOptions } from '../policy/compile-condition.ts';
import { toConditionsDocument } from '../policy/conditions-document.ts';
import type { PolicyDocument, PolicyMistake } from '../policy/document.ts';
import type { Judgement } from '../policy/judgement.ts';
import type { Verdict } from '../verdict.ts';
import type { Budget } from './budget.ts';
import type { SpaceProvider } from './build-space.ts';
import { verdictOf } from './contribution.ts';
import { type Finding, showFirst, toFinding } from './finding.ts';
import { findHits } from './never-question.ts';
import { type Prepared, prepare, type TabledRule } from './prepare.ts';
import { isNeverAllowed } from './prove-by-few.ts';
import { isBlockedByOne } from './prove-by-one.ts';

/** What the assertions of a policy are compiled with. */
type NeverOptions = Omit<CompileOptions, 'providers' | 'hash' | 'text'>;

/** What became of the assertions of a policy. */
interface Never {
  /** Conditions that cannot be read. */
  readonly mistakes: readonly PolicyMistake[];
  /** Of each that does not hold, and of each that could not be proven; with its place in the file. */
  readonly findings: readonly (Finding & { readonly place: number })[];
}

/** Some two seconds of one core: a start waits for it. */
const NEVER_STEPS_MAX = 12_000_000;

/** Of those steps, what may be spent on proofs by few rules before all are looked at together. */
const SHARE_OF_FEW = 1 / 6;

/** Of no place. */
const NOTHING: PolicyDocument['never'][number] = { verdict: 'ALLOW', when: 'false' };

/** Whether what a policy asserts never to do is so. */
export function checkNever(
  policy: CompiledPolicy,
  providers: readonly SpaceProvider[],
  options: NeverOptions,
  steps = NEVER_STEPS_MAX,
): Never {
  const { never } = policy.document;
  if (never.length === 0) return { mistakes: [], findings: [] };
  const asserted = compilePolicy(
    toConditionsDocument(
      policy.document,
      never.map(({ when }) => when),
    ),
    {
      ...options,
      hash: '',
      providers: providers satisfies readonly PolicyProvider[],
    },
  );
  if (!asserted.ok) return { mistakes: asserted.mistakes.map(toNeverPlace), findings: [] };
  const few: Budget = { steps: steps * SHARE_OF_FEW };
  const proven = asserted.value.rules.map(
    (rule, place) =>
      never[place]?.verdict === 'ALLOW' &&
      (isBlockedByOne(policy, rule) || isNeverAllowed(policy, rule, asserted.value, providers, few)),
  );
  if (!proven.includes(false)) return { mistakes: [], findings: [] };
  const budget: Budget = { steps };
  const prepared = prepare([policy, asserted.value], [], providers, budget);
  const conditions = prepared.rules.filter((rule) => rule.policy === 1);
  const findings = conditions.flatMap((condition, place) => {
    if (proven[place] === true) return [];
    const { verdict, when } = never[place] ?? NOTHING;
    const found = checkOne(prepared, policy, condition, verdict, budget);
    if (found === 'holds') return [];
    const claim = `never ${verdict} when ${when}`;
    const finding =
      found === 'unproven'
        ? toFinding('never_unproven', `${claim}: it could not be proven`)
        : toFinding('never_violated', `${claim}: it is, for some evidence`, found);
    return [{ ...finding, place }];
  });
  return { mistakes: [], findings };
}

function toNeverPlace(mistake: PolicyMistake): PolicyMistake {
  return { ...mistake, path: mistake.path.map((step) => (step === 'rules' ? 'never' : step)) };
}

function checkOne(
  prepared: Prepared,
  policy: CompiledPolicy,
  condition: TabledRule,
  verdict: Verdict,
  budget: Budget,
): Pick<Finding, 'witness'> | 'holds' | 'unproven' {
  const hits = findHits(prepared, condition, budget);
  if (hits === null) return 'unproven';
  const reached = hits.filter(
    ({ summary }) => verdictOf(policy, summary.level, summary.isExempted) === verdict,
  );
  if (reached.length === 0) return 'holds';
  const isSo = (judgement: Judgement) => judgement.verdict === verdict;
  const { witness } = showFirst(policy, prepared.space, reached, isSo);
  return witness === undefined ? 'unproven' : { witness };
}
