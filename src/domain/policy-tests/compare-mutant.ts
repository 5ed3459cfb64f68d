import type { CompiledPolicy, CompiledRule } from '../policy/compile.ts';
import type { SpaceProvider } from '../policy-analysis/build-space.ts';
import { diffPolicies } from '../policy-analysis/diff-policies.ts';
import { collectUses } from '../policy-analysis/signal-uses.ts';
import { judgeWitness, type Witness } from '../policy-analysis/witness.ts';
import type { Verdict } from '../verdict.ts';

/** Evidence that a policy and a mutant of it decide differently. */
export interface Telling {
  readonly witness: Witness;
  readonly before: Verdict;
  readonly after: Verdict;
}

/** Evidence of cases, around which the rest is looked for. */
export interface Bases {
  /** Where nothing speaks against the subject: a change of one rule shows. */
  readonly lenient: readonly Witness[];
  /** What comes to CHALLENGE, which a step-up may satisfy. */
  readonly challenged: readonly Witness[];
}

/** How many steps one comparison of whole policies may take, and how many there may be yet. */
interface CompareBudget {
  readonly steps: number;
  comparisons: number;
}

/**
 * Whether a mutant is the policy in other words: `equal` where no evidence is decided differently, evidence that
 * is, or `unknown` where neither could be shown within the budget.
 */
export function compareMutant(
  policy: CompiledPolicy,
  mutant: CompiledPolicy,
  providers: readonly SpaceProvider[],
  bases: Bases,
  budget: CompareBudget,
): Telling | 'equal' | 'unknown' {
  // An analysis is about answers before a step-up: it knows no difference in what satisfies a CHALLENGE.
  if (JSON.stringify([...policy.stepUps]) !== JSON.stringify([...mutant.stepUps]))
    return tellByStepUp(policy, mutant, bases.challenged) ?? 'unknown';
  const changed = changedRules(policy, mutant);
  const isExempting = [...changed.before, ...changed.after].some(({ source }) => source.exempt);
  if (!isExempting && policy.document.otherwise === mutant.document.otherwise) {
    const found = compareRules(policy, mutant, changed, providers, budget);
    if (found.isEqual) return 'equal';
    for (const witness of found.witnesses)
      for (const base of bases.lenient) {
        const told = tell(policy, mutant, overlay(base, witness, [...changed.before, ...changed.after]));
        if (told !== null) return told;
      }
  }
  return compareWhole(policy, mutant, providers, budget);
}

/** Evidence with a step-up about as old as either of them takes, which they decide differently. */
function tellByStepUp(
  policy: CompiledPolicy,
  mutant: CompiledPolicy,
  bases: readonly Witness[],
): Telling | null {
  const limits = [policy, mutant].flatMap(({ stepUps }) =>
    [...stepUps.values()].map(({ maxAgeSeconds }) => maxAgeSeconds),
  );
  const ages = new Set([0, ...limits.flatMap((limit) => [limit - 1, limit, limit + 1])]);
  const achieved = policy.document.acr_values.at(-1) ?? '';
  for (const acr of new Set(['', achieved]))
    for (const age of ages)
      for (const base of bases) {
        const facts = { ...base.facts, step_up: { age_seconds: age, method: '', acr } };
        const told = tell(policy, mutant, { ...base, facts });
        if (told !== null) return told;
      }
  return null;
}

interface ChangedRules {
  readonly before: readonly CompiledRule[];
  readonly after: readonly CompiledRule[];
}

/** The rules of each that the other does not have, with the same parameters. */
function changedRules(policy: CompiledPolicy, mutant: CompiledPolicy): ChangedRules {
  const textOf = (rule: CompiledRule) => JSON.stringify([rule.source, rule.ast.input]);
  const [of, without] = [policy, mutant].map(({ rules }) => new Set(rules.map(textOf))) as [
    Set<string>,
    Set<string>,
  ];
  return {
    before: policy.rules.filter((rule) => !without.has(textOf(rule))),
    after: mutant.rules.filter((rule) => !of.has(textOf(rule))),
  };
}

/**
 * Whether the changed rules contribute the same for all evidence, whatever the others do. With ALLOW otherwise,
 * nothing and ALLOW are the same; with BLOCK, nothing and BLOCK are.
 */
function compareRules(
  policy: CompiledPolicy,
  mutant: CompiledPolicy,
  { before, after }: ChangedRules,
  providers: readonly SpaceProvider[],
  { steps }: CompareBudget,
): { readonly isEqual: boolean; readonly witnesses: readonly Witness[] } {
  const witnesses: Witness[] = [];
  for (const otherwise of ['ALLOW', 'BLOCK'] as const) {
    const alone = (one: CompiledPolicy, rules: readonly CompiledRule[]): CompiledPolicy => ({
      ...one,
      rules,
      document: { ...one.document, otherwise },
    });
    const { classes } = diffPolicies(alone(policy, before), alone(mutant, after), providers, steps);
    if (classes === null) return { isEqual: false, witnesses };
    if (classes.length > 0)
      return { isEqual: false, witnesses: classes.flatMap(({ witness }) => witness ?? []) };
  }
  return { isEqual: true, witnesses };
}

/** What rules read of the witness, and all else of the base. */
function overlay(base: Witness, witness: Witness, rules: readonly CompiledRule[]): Witness {
  const facts = new Set(rules.flatMap(({ factReads }) => [...factReads.keys()]));
  const readsRequest = rules.some(({ ast }) =>
    [...collectUses(ast, new Map())].some((name) => name.startsWith('request.')),
  );
  const evidence = Object.entries(witness.evidence).map(([id, piece]) => {
    const known = base.evidence[id];
    const isBoth = piece.outcome === 'ok' && known?.outcome === 'ok';
    return [id, isBoth ? { ...piece, signals: { ...known.signals, ...piece.signals } } : piece] as const;
  });
  const said = Object.entries(witness.facts).filter(([name]) => facts.has(name));
  return {
    evidence: { ...base.evidence, ...Object.fromEntries(evidence) },
    request: readsRequest ? { ...base.request, ...witness.request } : base.request,
    facts: { ...base.facts, ...Object.fromEntries(said) },
  };
}

function tell(policy: CompiledPolicy, mutant: CompiledPolicy, witness: Witness): Telling | null {
  const [before, after] = [policy, mutant].map((one) => judgeWitness(one, witness).verdict) as [
    Verdict,
    Verdict,
  ];
  return before === after ? null : { witness, before, after };
}

function compareWhole(
  policy: CompiledPolicy,
  mutant: CompiledPolicy,
  providers: readonly SpaceProvider[],
  budget: CompareBudget,
): Telling | 'equal' | 'unknown' {
  if (budget.comparisons <= 0) return 'unknown';
  budget.comparisons -= 1;
  const { classes } = diffPolicies(policy, mutant, providers, budget.steps);
  if (classes?.length === 0) return 'equal';
  for (const witness of (classes ?? []).flatMap((one) => one.witness ?? [])) {
    const told = tell(policy, mutant, witness);
    if (told !== null) return told;
  }
  return 'unknown';
}
