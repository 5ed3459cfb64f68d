import { DEFINITE_OUTCOMES } from '../evidence.ts';
import type { CompiledPolicy, CompiledRule } from './compile.ts';
import { completionsOf } from './complete-facts.ts';
import {
  type EvidenceRow,
  type PolicyEvidence,
  type ProviderState,
  statePlace,
  toEvidenceRow,
} from './evidence-row.ts';
import { type Judgement, toJudgement } from './judgement.ts';
import { memoOf, remember, situationOf } from './judgement-memo.ts';
import type { RequestSignals } from './request-signals.ts';
import { type RuleTrace, toUnknown } from './rule-trace.ts';
import { describeRunError, type RunContext, toRunContext, withFactsOf } from './run-context.ts';
import { satisfyChallenges } from './satisfy-challenges.ts';
import type { Situation } from './situation.ts';
import { STEP_UP_FACT, type StepUpSignals } from './step-up-signals.ts';
import type { SubjectFacts } from './subject-fact.ts';

/** Everything that one evaluation needs; built once for all rules. */
interface EvaluationInput {
  readonly policy: CompiledPolicy;
  readonly situation: Situation;
  readonly evidence: readonly PolicyEvidence[];
  readonly request: RequestSignals;
  readonly facts: SubjectFacts;
  readonly row: EvidenceRow;
  /** Null until a rule needs the interpreter. */
  context: RunContext | null;
}

/**
 * Judges evidence by a policy. Lost evidence, or a suspect provider, can change a verdict between CHALLENGE
 * and BLOCK in either direction, but never turns it into ALLOW unless a waiver allows that.
 */
export function evaluatePolicy(
  policy: CompiledPolicy,
  evidence: readonly PolicyEvidence[],
  request: RequestSignals,
  facts: SubjectFacts = {},
): Judgement {
  const memo = memoOf(policy);
  const situation = situationOf(memo, policy, evidence, facts);
  const row = toEvidenceRow(policy.facts, evidence, request, facts);
  const input: EvaluationInput = { policy, situation, evidence, request, facts, row, context: null };
  const trace: RuleTrace[] = [];
  // The results of the rules that are neither settled nor false: with the situation, they are all there is to
  // a judgement. Null where a rule is unknown for a reason of its own.
  let results: string | null = '';
  for (const rule of policy.rules) {
    const place = trace.length;
    const settled = situation.settled[place] ?? null;
    const line = settled ?? toLine(rule, place, input);
    trace.push(line);
    if (settled !== null || line === rule.falseTrace || results === null) continue;
    const kind = kindOf(line, rule, place, situation);
    results = kind === null ? null : results + String.fromCharCode(place * KINDS + kind);
  }
  const known = results === null ? undefined : situation.judgements.get(results);
  const judgement = known ?? toJudgement(policy, trace, situation.degraded);
  if (results !== null && known === undefined) remember(memo, situation, results, judgement);
  // Never remembered: others with the same results have no such step-up. Told by step-ups alone, whose type it
  // is.
  return satisfyChallenges(policy, judgement, facts[STEP_UP_FACT.name] as StepUpSignals | undefined);
}

const KINDS = 4;

/** Which of its possible lines a rule that is not false has; null for an error of its own. */
function kindOf(
  line: RuleTrace,
  { trueTrace }: CompiledRule,
  place: number,
  { missing, absent, inert }: Situation,
): number | null {
  if (line === trueTrace) return 0;
  if (line === missing[place]) return 1;
  if (line === inert[place]) return 3;
  return line === absent[place] ? 2 : null;
}

/** The line of one rule in the trace: of `rule` or of the situation, or a new one for an error. */
function toLine(rule: CompiledRule, place: number, input: EvaluationInput): RuleTrace {
  const { situation } = input;
  const absent = situation.absent[place] ?? rule.absentTrace;
  const missing = situation.missing[place] ?? absent;
  let value: unknown = rule.test(input.row);
  if (value === null) return toCompletedLine(rule, place, input) ?? absent;
  if (value === undefined) {
    try {
      value = rule.run(contextOf(input));
    } catch (error) {
      // In CEL, reading an absent field is an error; the rule is then unknown.
      const why = describeRunError(error);
      const isAbsent = absent !== rule.absentTrace || why === absent.why;
      if (!isAbsent) return toUnknown(rule.source, why);
      return toCompletedLine(rule, place, input) ?? absent;
    }
  }
  if (value === true) return rule.trueTrace;
  // A signal that is not of its declared type, as a store may return it, says nothing.
  if (value !== false) return toUnknown(rule.source, 'it comes to neither true nor false');
  const open = situation.open[place] ?? [];
  return open.length === 0 || isFalseForAll(rule, input, open, input.row) ? rule.falseTrace : missing;
}

/**
 * The line of a rule that fails as fields of facts are absent of which something is known: what it comes to for
 * every value that they could have. Null where that is not one and the same.
 */
function toCompletedLine(rule: CompiledRule, place: number, input: EvaluationInput): RuleTrace | null {
  const { policy, situation } = input;
  const completions = completionsOf(rule, policy, input.row);
  if (completions === null) return null;
  const open = situation.open[place] ?? [];
  const isFalseIn = (row: EvidenceRow) => isFalseForAll(rule, input, open, row);
  if (completions.ranges.every((row) => resultIn(rule, input, row) === true)) return rule.trueTrace;
  if (completions.ranges.every(isFalseIn)) return rule.falseTrace;
  return completions.nothing?.every(isFalseIn) === true ? (situation.inert[place] ?? null) : null;
}

/** The variables of the interpreter, which few decisions need. */
function contextOf(input: EvaluationInput): RunContext {
  input.context ??= toRunContext(input.policy, input.evidence, input.request, input.facts);
  return input.context;
}

/**
 * `providers.<id>` is readable in an outage and under suspicion. So a condition such as `outcome == "ok" &&
 * action == "BLOCK"` can be false only because evidence is lost, and `!found && !suspect` only because a
 * provider is suspect. False is certain only if the condition is false for every definite outcome that the
 * provider could have had, and without the suspicion too. `row` has the states chosen so far.
 */
function isFalseForAll(
  rule: CompiledRule,
  input: EvaluationInput,
  open: readonly number[],
  row: EvidenceRow,
): boolean {
  const [provider, ...rest] = open;
  if (provider === undefined) return isFalse(rule, input, row);
  const place = statePlace(sourcesOf(input.policy), provider);
  return statesPossible(provider, input).every((state) =>
    isFalseForAll(rule, input, rest, row.with(place, state)),
  );
}

function isFalse(rule: CompiledRule, input: EvaluationInput, row: EvidenceRow): boolean {
  return resultIn(rule, input, row) === false;
}

/** What the condition comes to in this row; undefined where it is unknown. */
function resultIn(rule: CompiledRule, input: EvaluationInput, row: EvidenceRow): unknown {
  const tested = rule.test(row);
  if (tested !== undefined) return tested ?? undefined;
  const { policy } = input;
  const sources = sourcesOf(policy);
  const states = policy.providerIds.map((id, index) => [id, row[statePlace(sources, index)]]);
  const context = withFactsOf(policy, row, contextOf(input));
  try {
    return rule.run({ ...context, providers: Object.fromEntries(states) });
  } catch {
    // In that state the rule reads a signal that is lost: it is unknown.
    return undefined;
  }
}

/** How many providers and facts come before the request in a row. */
function sourcesOf({ providerIds, facts }: CompiledPolicy): number {
  return providerIds.length + facts.length;
}

/** The states that a provider could have had if its evidence were not lost and it were not suspect. */
function statesPossible(
  provider: number,
  { evidence, situation: { indefiniteMask, suspectMask } }: EvaluationInput,
): ProviderState[] {
  const isLost = (indefiniteMask & (1 << provider)) !== 0;
  const outcomes = isLost ? DEFINITE_OUTCOMES : [evidence[provider]?.outcome ?? ''];
  const suspicions = (suspectMask & (1 << provider)) !== 0 ? [false, true] : [false];
  return outcomes.flatMap((outcome) => suspicions.map((suspect) => ({ outcome, suspect })));
}
