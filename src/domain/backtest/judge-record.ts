import { CONTRADICTIONS_FACT } from '../contradictions/contradiction-signals.ts';
import { toContradictionPlan } from '../contradictions/find-contradictions.ts';
import type { DecisionRecord } from '../decision-log/decision-record.ts';
import { readRecordedInput } from '../decision-log/recorded-input.ts';
import { eachCountedRule, type JudgedRules, toResultName } from '../decision-log/rule-results.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { evaluatePolicy } from '../policy/evaluate.ts';
import { numberParameters } from '../policy/fact-parameters.ts';
import type { Verdict } from '../verdict.ts';

/** What a candidate comes to for a recorded decision, or why it cannot be told. Plain data. */
export type BacktestOutcome =
  | {
      readonly kind: 'judged';
      readonly verdict: Verdict;
      readonly degraded: boolean;
      /** Rules that count, with their results, as `toResultName` spells them. */
      readonly rules: readonly string[];
    }
  | { readonly kind: 'not_replayable'; readonly why: string };

/** Judges a record by another policy than its own. `own` is that; null where it is not known. */
export function judgeRecord(
  candidate: CompiledPolicy,
  record: DecisionRecord,
  own: CompiledPolicy | null,
): BacktestOutcome {
  if (record.rules.length === 0) return notReplayable('no rule was asked');
  const input = readRecordedInput(candidate, record);
  if (!input.ok) return notReplayable(input.mistakes.map((name) => `${name} was not recorded`).join(', '));
  const other = findOtherParameter(candidate, record, own);
  if (other !== null) return notReplayable(other);
  const { evidence, request, facts } = input.value;
  const { verdict, degraded, trace, reasons, waivers } = evaluatePolicy(candidate, evidence, request, facts);
  return { kind: 'judged', verdict, degraded, rules: countedRules({ rules: trace, reasons, waivers }) };
}

/** The names of the rules that count in a record or a judgement, with their results, each once. */
export function countedRules(judged: JudgedRules): readonly string[] {
  const names = new Set<string>();
  eachCountedRule(judged, (rule, result) => names.add(toResultName(rule, result)));
  return [...names].sort();
}

function notReplayable(why: string): BacktestOutcome {
  return { kind: 'not_replayable', why };
}

/** True where what records have of contradictions depends on parameters that the candidate has too. */
export function readsParameters(candidate: CompiledPolicy): boolean {
  return Object.keys(paramsOf(candidate, pathsRead(candidate))).length > 0;
}

/** What was found of contradictions follows from parameters of the policy of the day. */
function findOtherParameter(
  candidate: CompiledPolicy,
  record: DecisionRecord,
  own: CompiledPolicy | null,
): string | null {
  if (candidate.hash === record.policy.hash || typeof record.contradictions !== 'object') return null;
  const paths = pathsRead(candidate);
  const wanted = paramsOf(candidate, paths);
  const names = Object.keys(wanted);
  if (names.length === 0) return null;
  if (own === null) return `params.${names.join(', params.')} of its policy are not known`;
  const before = paramsOf(own, paths);
  const other = names.filter((name) => wanted[name] !== before[name]);
  return other.length === 0 ? null : `params.${other.join(', params.')} were others`;
}

function pathsRead({ facts }: CompiledPolicy): readonly (readonly string[])[] {
  return facts.find(({ fact }) => fact.name === CONTRADICTIONS_FACT.name)?.paths ?? [];
}

function paramsOf(
  { document }: CompiledPolicy,
  paths: readonly (readonly string[])[],
): Readonly<Record<string, number>> {
  return toContradictionPlan(paths, numberParameters(document)).params;
}
