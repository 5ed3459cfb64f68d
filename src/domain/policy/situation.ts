import { isDefinite } from '../evidence.ts';
import type { CompiledPolicy, CompiledRule } from './compile.ts';
import { type PolicyEvidence, signalsOf } from './evidence-row.ts';
import type { Judgement } from './judgement.ts';
import { CAN_BE_ERROR, CAN_BE_TRUE } from './possible-results.ts';
import { type RuleTrace, toUnknown } from './rule-trace.ts';
import { type FactRead, findGaps, type SubjectFacts } from './subject-fact.ts';

/**
 * What is absent and what is in doubt in one decision. The facts that the policy reads have the bits after the
 * last provider.
 */
interface Losses {
  /** Providers without signals, and facts that are not known. */
  readonly absentMask: number;
  /** Providers whose outcome is indefinite, and facts that are unknown as a whole or in part. */
  readonly indefiniteMask: number;
  readonly suspectMask: number;
  /** Which fields of facts that are known in part are not: the same text for the same. */
  readonly gaps: string;
}

/** What follows from losses alone, whatever the signals that remain: one for all decisions with the same. */
export interface Situation extends Losses {
  readonly degraded: boolean;
  /** For each rule, its line in the trace where it cannot be anything but an error; null for the others. */
  readonly settled: readonly (RuleTrace | null)[];
  /**
   * For each rule that reads what is lost or in doubt, its line where it is neither true nor false for that.
   */
  readonly missing: readonly RuleTrace[];
  /** For each rule, its line where it fails because it reads something absent. */
  readonly absent: readonly RuleTrace[];
  /** For each rule, its line where it reads something of a fact for which there is nothing; null for others. */
  readonly inert: readonly (RuleTrace | null)[];
  /** For each rule, the providers whose outcome or suspicion it reads, and that are indefinite or suspect. */
  readonly open: readonly (readonly number[])[];
  /** Judgements by the results of the rules that are not settled; see evaluate.ts. */
  readonly judgements: Map<string, Judgement>;
}

const NONE: readonly number[] = [];

/** The losses of a decision. Throws a RangeError unless there is a piece of evidence for each provider. */
export function findLosses(
  { providerIds, facts: reads }: CompiledPolicy,
  evidence: readonly PolicyEvidence[],
  facts: SubjectFacts,
): Losses {
  if (evidence.length !== providerIds.length)
    throw new RangeError('A policy judges one piece of evidence for each provider.');
  let absentMask = 0;
  let indefiniteMask = 0;
  let suspectMask = 0;
  let gaps = '';
  let bit = 1;
  for (const piece of evidence) {
    if (signalsOf(piece) === null) absentMask |= bit;
    if (!isDefinite(piece.outcome)) indefiniteMask |= bit;
    if (piece.suspect === true) suspectMask |= bit;
    bit <<= 1;
  }
  for (const read of reads) {
    const value = facts[read.fact.name] ?? 'unknown';
    const lacks = typeof value === 'object' ? findGaps(read.paths, value) : NONE;
    if (typeof value === 'string') absentMask |= bit;
    if (value === 'unknown') indefiniteMask |= bit;
    if (typeof value === 'object' && lacks.length > 0) {
      gaps += `;${bit}`;
      for (const place of lacks) {
        const isNothing = hasNothing(read, value, place);
        if (!isNothing) indefiniteMask |= bit;
        gaps += isNothing ? `-${place}` : `:${place}`;
      }
    }
    bit <<= 1;
  }
  return { absentMask, indefiniteMask, suspectMask, gaps };
}

/** The same text for the same situation, and for no other. Empty where nothing is absent or in doubt. */
export function toSituationKey(
  { absentMask, indefiniteMask, suspectMask, gaps }: Losses,
  evidence: readonly PolicyEvidence[],
): string {
  // What is no loss either can be in the gaps: a field for which there is nothing.
  if ((absentMask | indefiniteMask | suspectMask) === 0 && gaps === '') return '';
  // They tell a fact that is unknown, and so indefinite, from one that the subject has nothing for.
  let key = `${absentMask},${indefiniteMask},${suspectMask}${gaps}`;
  let bit = 1;
  for (const { outcome } of evidence) {
    if (absentMask & bit) key += `,${outcome}`;
    bit <<= 1;
  }
  return key;
}

/** What these losses mean for each rule of the policy. */
export function toSituation(
  policy: CompiledPolicy,
  losses: Losses,
  evidence: readonly PolicyEvidence[],
  facts: SubjectFacts,
): Situation {
  const { absentMask, indefiniteMask, suspectMask } = losses;
  const openMask = indefiniteMask | suspectMask;
  const causeOf = (place: number) => describeLoss(policy, place, evidence, facts);
  const missing = policy.rules.map((rule) => {
    const { signalReads, outcomeReads, absentTrace } = rule;
    const isTouched = [...signalReads, ...outcomeReads].some(
      (place) => (absentMask | openMask) & (1 << place),
    );
    return isTouched ? toMissing(rule, losses, policy, causeOf) : absentTrace;
  });
  return {
    ...losses,
    degraded: (indefiniteMask & policy.neededMask) !== 0,
    missing,
    absent: policy.rules.map((rule, place) => {
      const isLost = rule.signalReads.some((read) => absentMask & (1 << read));
      return (isLost ? missing[place] : null) ?? toGap(rule, policy, facts) ?? rule.absentTrace;
    }),
    inert: policy.rules.map((rule) => toInert(rule, policy, facts)),
    settled: policy.rules.map((rule, place) => {
      const isSettled = absentMask !== 0 && rule.possible(absentMask) === CAN_BE_ERROR;
      return isSettled ? (missing[place] ?? null) : null;
    }),
    open: policy.rules.map(({ outcomeReads }) => {
      const open = outcomeReads.filter((place) => openMask & (1 << place));
      return open.length === 0 ? NONE : open;
    }),
    judgements: new Map(),
  };
}

/**
 * The line of a rule that reads absent signals or a suspect provider. It is `inert` where a provider that was
 * skipped on purpose already makes it impossible for the rule to be true; otherwise it is unknown.
 */
function toMissing(
  { source, signalReads, outcomeReads, possible }: CompiledRule,
  { absentMask, indefiniteMask, suspectMask }: Losses,
  { providerIds }: CompiledPolicy,
  causeOf: (place: number) => string,
): RuleTrace {
  const skippedMask = absentMask & ~indefiniteMask;
  const readsSkipped = signalReads.some((place) => skippedMask & (1 << place));
  const isInert = readsSkipped && (possible(skippedMask) & CAN_BE_TRUE) === 0;
  const lostMask = isInert ? skippedMask : absentMask;
  const reads = new Set([...signalReads, ...outcomeReads]);
  const lost = [...reads].filter((place) => lostMask & (1 << place));
  const doubted = isInert ? [] : outcomeReads.filter((place) => suspectMask & (1 << place));
  const why = [...lost.map(causeOf), ...doubted.map((place) => `${providerIds[place]} suspect`)].join(', ');
  return isInert ? Object.freeze({ rule: source.id, result: 'inert', why }) : toUnknown(source, why);
}

/** The line of a rule that reads what a known fact lacks; null for any other. */
function toGap(
  { source, factReads }: CompiledRule,
  { facts: reads }: CompiledPolicy,
  facts: SubjectFacts,
): RuleTrace | null {
  const lost = reads.flatMap(({ fact, paths }) => {
    const value = facts[fact.name];
    if (typeof value !== 'object') return [];
    const own = paths.filter((path) => factReads.get(fact.name)?.has(path.join('.')));
    return findGaps(own, value).map((place) => {
      const path = own[place] ?? [];
      const isNothing = fact.softnessOf?.(value, path) === 'nothing';
      return `${fact.name}.${path.join('.')}${isNothing ? `: ${fact.whyAbsent.none}` : ' unknown'}`;
    });
  });
  return lost.length === 0 ? null : toUnknown(source, lost.join(', '));
}

/** The line of a rule that reads a field for which there is nothing; null for any other. */
function toInert(
  { source, factReads }: CompiledRule,
  { facts: reads }: CompiledPolicy,
  facts: SubjectFacts,
): RuleTrace | null {
  const nothing = reads.flatMap((read) => {
    const { fact, paths } = read;
    const value = facts[fact.name];
    if (typeof value !== 'object') return [];
    return findGaps(paths, value)
      .filter((place) => hasNothing(read, value, place))
      .map((place) => paths[place]?.join('.') ?? '')
      .filter((path) => factReads.get(fact.name)?.has(path))
      .map((path) => `${fact.name}.${path}: ${fact.whyAbsent.none}`);
  });
  if (nothing.length === 0) return null;
  return Object.freeze({ rule: source.id, result: 'inert', why: nothing.join(', ') });
}

/** True where the field at this place, which the value lacks, would be about nothing. */
function hasNothing({ fact, paths }: FactRead, value: object, place: number): boolean {
  return fact.softnessOf?.(value, paths[place] ?? []) === 'nothing';
}

function describeLoss(
  { providerIds, facts: reads }: CompiledPolicy,
  place: number,
  evidence: readonly PolicyEvidence[],
  facts: SubjectFacts,
): string {
  const id = providerIds[place];
  if (id !== undefined) return `${id} ${evidence[place]?.outcome}`;
  const fact = reads[place - providerIds.length]?.fact;
  return fact?.whyAbsent[facts[fact.name] === 'none' ? 'none' : 'unknown'] ?? '';
}
