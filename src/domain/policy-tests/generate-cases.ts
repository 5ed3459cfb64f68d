import type { CompiledPolicy } from '../policy/compile.ts';
import type { SpaceProvider } from '../policy-analysis/build-space.ts';
import { classOf, type DecisionClass, findClasses, keyOfClass } from './decision-class.ts';
import { judgeCases } from './judge-cases.ts';
import { type PolicyCase, readCases } from './read-cases.ts';
import { toCaseGiven } from './to-case.ts';

/** Cases for what no case of a policy is about. */
interface GeneratedCases {
  /** A document of cases, which all pass; null where every class has a case. */
  readonly document: object | null;
  /** How many classes there are, and how many of them have a case already. */
  readonly classes: number;
  readonly covered: number;
  /** How many cases are in the document. */
  readonly generated: number;
  /** Classes that may be, and for which no case could be written that surely comes to them. */
  readonly left: readonly string[];
}

/**
 * A case for each class of decisions that none of these cases comes to; null where there is too much to combine.
 * `policyFile` is what the document says that it is for.
 */
export function generateCases(
  policy: CompiledPolicy,
  cases: readonly PolicyCase[],
  providers: readonly SpaceProvider[],
  policyFile: string,
  steps?: number,
): GeneratedCases | null {
  const classes = findClasses(policy, providers, steps);
  if (classes === null) return null;
  const judged = judgeCases(policy, cases).map(({ judgement }) => keyOfClass(classOf(policy, judgement)));
  const known = new Set(judged);
  const missing = classes.filter((one) => !known.has(keyOfClass(one.class)));
  const left: string[] = [];
  const written = missing.flatMap(({ class: wanted, witness }) => {
    const name = describeClass(policy, wanted);
    const given = witness === null ? null : toCaseGiven(policy, witness);
    const one = given === null ? null : decide(policy, providers, policyFile, { name, ...given }, wanted);
    if (one === null) left.push(name);
    return one === null ? [] : [one];
  });
  return {
    document: written.length === 0 ? null : toDocument(policy, policyFile, written),
    classes: classes.length,
    covered: classes.length - missing.length,
    generated: written.length,
    left,
  };
}

/** The case with what it comes to; null where it is none, or comes to something else than it is for. */
function decide(
  policy: CompiledPolicy,
  providers: readonly SpaceProvider[],
  policyFile: string,
  given: object,
  wanted: DecisionClass,
): object | null {
  const document = toDocument(policy, policyFile, [{ ...given, decision: wanted.verdict }]);
  const read = readCases(document, policy, providers);
  const judged = read.ok ? (judgeCases(policy, read.value)[0] ?? null) : null;
  if (judged === null || keyOfClass(classOf(policy, judged.judgement)) !== keyOfClass(wanted)) return null;
  const { verdict, degraded, reasons } = judged.judgement;
  return {
    ...given,
    decision: verdict,
    ...(degraded && { degraded }),
    reasons: reasons.map(({ code }) => code),
  };
}

/** Providers are not asked but where a case says so. */
function toDocument(policy: CompiledPolicy, policyFile: string, cases: readonly object[]): object {
  const read = policy.providerIds.filter((_, place) => policy.neededMask & (1 << place));
  const evidence = Object.fromEntries(read.map((id) => [id, { outcome: 'skipped' }]));
  return { policy: policyFile, evidence, cases };
}

function describeClass(
  policy: CompiledPolicy,
  { verdict, rule, isCertain, isWaived }: DecisionClass,
): string {
  const waived = isWaived ? ', although a rule that is waived is unknown' : '';
  if (rule === null) return `${verdict}, for no rule is against it${waived}`;
  const { reason = '' } = policy.rules.find(({ source }) => source.id === rule)?.source ?? {};
  return `${verdict} by ${rule} (${reason})${isCertain ? '' : ', which is unknown'}${waived}`;
}
