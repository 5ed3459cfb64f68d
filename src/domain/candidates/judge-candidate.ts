import type { Decision } from '../decision.ts';
import { recordedFactOf } from '../decision-log/recorded-facts.ts';
import { type CompiledPolicy, type CompiledRule, readsFact } from '../policy/compile.ts';
import { evaluatePolicy } from '../policy/evaluate.ts';
import { type Judgement, toJudgement } from '../policy/judgement.ts';
import type { RequestSignals } from '../policy/request-signals.ts';
import { satisfyChallenges } from '../policy/satisfy-challenges.ts';
import { NEVER_STEPPED_UP, STEP_UP_FACT, type StepUpSignals } from '../policy/step-up-signals.ts';
import type { SubjectFacts } from '../policy/subject-fact.ts';
import { TELEMETRY_FACT } from '../policy/telemetry-signals.ts';
import { hasText, type Subject } from '../subject.ts';
import type { CandidateResult, NotJudged } from './candidate-result.ts';
import { findUnfetched } from './find-unfetched.ts';

/** What a candidate judges: the evidence of a decision, its request, and its subject. */
interface CandidateInput {
  readonly decision: Decision;
  readonly subject: Subject;
  readonly request: RequestSignals;
  /** Facts that were asked for beside those of the decision, which they take the place of; see findUnfetched. */
  readonly fetched: SubjectFacts | null;
}

/** Judges decisions by one candidate as if it had been in force. */
export type JudgeCandidate = (input: CandidateInput) => CandidateResult;

/**
 * Builds what judges the decisions of a live policy by a candidate. A rule that both have, of the same facts, came
 * to the same for both: only the others are run. What they came to is remembered by the traces, which decisions share.
 */
export function createJudgeCandidate(live: CompiledPolicy, candidate: CompiledPolicy): JudgeCandidate {
  const places = findCommonRules(live, candidate);
  const others: CompiledPolicy = {
    ...candidate,
    rules: candidate.rules.filter((_, place) => places[place] === null),
  };
  const facts = findFactsRead(candidate, others);
  const results = new WeakMap<Judgement, CandidateResult>();
  const judgements = new WeakMap<Decision['trace'], WeakMap<Judgement['trace'], Judgement>>();
  const combine = (common: Decision['trace'], own: Judgement['trace']): Judgement => {
    let known = judgements.get(common);
    if (known === undefined) {
      known = new WeakMap();
      judgements.set(common, known);
    }
    let judgement = known.get(own);
    if (judgement === undefined) {
      const trace = mergeTraces(places, common, own);
      judgement = toJudgement(candidate, trace, false);
      known.set(own, judgement);
    }
    return judgement;
  };
  return ({ decision, subject, request, fetched }) => {
    // It was judged by no policy, and every policy would have come to the same.
    if (decision.trace.length === 0) return toResult(candidate, decision);
    const own = pickFacts(candidate, facts, decision, subject);
    const known = fetched === null ? own : { ...own, ...fetched };
    const { trace } = evaluatePolicy(others, decision.evidence, request, known);
    const stepUp = known[STEP_UP_FACT.name] as StepUpSignals | undefined;
    const judgement = satisfyChallenges(candidate, combine(decision.trace, trace), stepUp);
    let result = results.get(judgement);
    if (result === undefined) {
      result = toResult(candidate, judgement);
      results.set(judgement, result);
    }
    return result;
  };
}

/** The facts that these rules of the candidate read, and what satisfies its challenges. */
function findFactsRead(candidate: CompiledPolicy, { rules }: CompiledPolicy): readonly string[] {
  const { facts, providerIds, factsNeeded } = candidate;
  const read = new Set(
    rules.flatMap(({ signalReads }) =>
      signalReads.map((place) => facts[place - providerIds.length]?.fact.name),
    ),
  );
  return factsNeeded.filter((name) => read.has(name) || name === STEP_UP_FACT.name);
}

/**
 * For each rule of the candidate, its place in the live policy; null where that has no such rule, and for one that
 * reads facts which are told otherwise for the candidate.
 */
function findCommonRules(live: CompiledPolicy, candidate: CompiledPolicy): readonly (number | null)[] {
  const known = new Map(live.rules.map((rule, place) => [spell(live, rule), place]));
  const unfetched = new Set(findUnfetched(live, candidate));
  const isToldAlike = ({ factReads }: CompiledRule) =>
    [...factReads].every(([fact, paths]) => [...paths].every((path) => !unfetched.has(`${fact}.${path}`)));
  return candidate.rules.map((rule) =>
    isToldAlike(rule) ? (known.get(spell(candidate, rule)) ?? null) : null,
  );
}

/** The same text for rules that come to the same for the same evidence. */
function spell({ document, providerIds }: CompiledPolicy, { source, parameters }: CompiledRule): string {
  const constants = parameters.map((name) => [name, document.parameters[name]]);
  return JSON.stringify([source, constants, document.lists, document.events, providerIds]);
}

/** The lines of the rules in the order of the candidate. */
function mergeTraces(
  places: readonly (number | null)[],
  common: Decision['trace'],
  own: Judgement['trace'],
): Judgement['trace'] {
  let next = 0;
  return places.map((place) => {
    const line = place === null ? own[next] : common[place];
    if (place === null) next += 1;
    if (line === undefined) throw new RangeError('a trace has a line for each rule of its policy');
    return line;
  });
}

function toResult(
  { id, hash }: Pick<CompiledPolicy, 'id' | 'hash'>,
  { verdict, reasons }: Pick<Judgement, 'verdict' | 'reasons'>,
): CandidateResult {
  return Object.freeze({ policy: Object.freeze({ id, hash }), decision: verdict, reasons, not_judged: null });
}

/** The result of a candidate that does not judge. */
export function toNotJudged(
  { id, hash }: Pick<CompiledPolicy, 'id' | 'hash'>,
  why: NotJudged,
  signals: readonly string[] = [],
): CandidateResult {
  const not_judged = Object.freeze({ why, signals: Object.freeze([...signals]) });
  return Object.freeze({
    policy: Object.freeze({ id, hash }),
    decision: null,
    reasons: Object.freeze([]),
    not_judged,
  });
}

/**
 * The facts that a candidate needs, as the decision has them. Those that the live policy did not ask for are
 * absent or unknown; see findUnfetched.
 */
export function factsFor(candidate: CompiledPolicy, decision: Decision, subject: Subject): SubjectFacts {
  return pickFacts(candidate, candidate.factsNeeded, decision, subject);
}

function pickFacts(
  candidate: CompiledPolicy,
  names: readonly string[],
  decision: Decision,
  subject: Subject,
): SubjectFacts {
  const facts: Record<string, SubjectFacts[string]> = {};
  for (const name of names) {
    if (name === TELEMETRY_FACT.name) facts[name] = custodyOf(decision, subject);
    else facts[name] = recordedFactOf(decision.facts, name);
  }
  // As conditions read it, which those of the live policy may not have.
  if (facts[STEP_UP_FACT.name] === 'none' && readsFact(candidate, STEP_UP_FACT.name))
    facts[STEP_UP_FACT.name] = NEVER_STEPPED_UP;
  return facts;
}

/** `none` of a telemetry id that is there says only that nobody asked. */
function custodyOf({ custody }: Decision, { telemetryId }: Subject): SubjectFacts[string] {
  return custody === 'none' && hasText(telemetryId) ? 'unknown' : custody;
}
