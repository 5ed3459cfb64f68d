import type { CompiledPolicy } from '../policy/compile.ts';
import type { Judgement } from '../policy/judgement.ts';
import type { Reached } from './combine.ts';
import type { Space } from './dimension.ts';
import { type Assignment, toWitness } from './to-witness.ts';
import { judgeWitness, type Witness } from './witness.ts';

/** What an analysis can find, each with how serious it is. */
export const FINDING_KINDS = {
  /** No evidence makes the rule true. */
  dead_rule: 'error',
  /** An assertion of the policy does not hold. */
  never_violated: 'error',
  /** An assertion of the policy may hold or not: too much is approximated, or there is too much to combine. */
  never_unproven: 'warning',
  /** Another rule contributes as much wherever this one contributes. */
  shadowed_rule: 'warning',
  /** Others together contribute as much wherever this one contributes. */
  never_decisive: 'warning',
  /** No evidence comes to the verdict. */
  unreachable_verdict: 'warning',
  /** A decision that lacks evidence is ALLOW because a rule is waived. */
  waived_allow: 'warning',
  /** A decision that lacks evidence is ALLOW because what is lost does not matter to it. */
  degraded_allow: 'note',
  /** Losing evidence makes an ALLOW of a stricter answer. */
  loss_allows: 'warning',
  /** Losing evidence makes a CHALLENGE of a BLOCK. */
  loss_softens: 'note',
  /** Who chooses one signal of the request can choose ALLOW. */
  bypass: 'warning',
  /** The bound was reached before this was answered. */
  not_answered: 'warning',
} as const;

/** Something that an analysis has found. */
export interface Finding {
  readonly kind: keyof typeof FINDING_KINDS;
  readonly severity: (typeof FINDING_KINDS)[keyof typeof FINDING_KINDS];
  /** The rule that it is about; absent for the policy. */
  readonly rule?: string;
  readonly message: string;
  /** Evidence that shows it, decided so by the engine; absent where it is about what no evidence does. */
  readonly witness?: Witness;
  /** The same evidence with less of it lost. */
  readonly before?: Witness;
  /** True where it may be so, and no evidence could be given that shows it. */
  readonly isUnproven?: boolean;
}

/** A finding of this kind. */
export function toFinding(kind: Finding['kind'], message: string, rest: Partial<Finding> = {}): Finding {
  return { kind, severity: FINDING_KINDS[kind], message, ...rest };
}

/** The policy without step-ups: an analysis is about answers before one satisfies them. */
export function withoutStepUps(policy: CompiledPolicy): CompiledPolicy {
  return { ...policy, stepUps: new Map() };
}

/**
 * Evidence as a witness with what the engine decides of it, where that `isSo`; null where it is not, because
 * an approximation let too much through.
 */
export function showWith(
  policy: CompiledPolicy,
  space: Space,
  assignment: Assignment,
  isSo: (judgement: Judgement) => boolean,
): Witness | null {
  const witness = toWitness(space, assignment);
  if (witness === null) return null;
  const judgement = judgeWitness(withoutStepUps(policy), witness);
  if (!isSo(judgement)) return null;
  return { ...witness, expect: { verdict: judgement.verdict, degraded: judgement.degraded } };
}

/** The evidence among these that the engine decides so; undefined where it decides none. */
export function showFirst<Summary>(
  policy: CompiledPolicy,
  space: Space,
  candidates: readonly Reached<Summary>[],
  isSo: (judgement: Judgement) => boolean,
): Pick<Finding, 'witness' | 'isUnproven'> {
  for (const { assignment } of candidates.toSorted(
    (left, right) => Number(left.isGuess) - Number(right.isGuess),
  )) {
    const witness = showWith(policy, space, assignment, isSo);
    if (witness !== null) return { witness };
  }
  return { isUnproven: true };
}
