import { type Explanation, explainRecord } from '../../domain/backtest/explain-record.ts';
import type { RuleValue } from '../../domain/backtest/rule-values.ts';
import { type CliReport, EXIT_CODES } from '../command.ts';
import type { FoundDecision } from './find-decision.ts';

/** The report about a decision: what was decided, by what, and what was not known. */
export function showDecision({ record, label, rules: texts }: FoundDecision): CliReport {
  const { rules, contradictions, unknown } = explainRecord(record, texts);
  const { decision, degraded, decided_at, caller, entry_point, action, policy, engine } = record;
  const isKnown = texts.size > 0 || rules.length === 0;
  return {
    exitCode: EXIT_CODES.ok,
    lines: [
      `${decision}${degraded ? ', degraded' : ''}  ${record.decision_id} of ${decided_at}`,
      `  ${caller} by ${entry_point}${action === null ? '' : `, ${action}`}${label === null ? '' : `, labelled ${label}`}`,
      `  policy ${policy.id} ${policy.hash}, riskgate ${engine}`,
      ...(isKnown ? [] : ['  The text of its policy is not known: conditions and values are not shown.']),
      ...(rules.length === 0 ? ['  No rule was asked.'] : []),
      ...record.reasons.map(({ code, rule, certain, satisfied }) => {
        const notes = [rule, ...(certain ? [] : ['not certain']), ...(satisfied ? ['satisfied'] : [])];
        return `  ${code} (${notes.join(', ')})`;
      }),
      ...record.waivers.map(({ code, rule }) => `  waived: ${code} (${rule})`),
      'Evidence:',
      ...Object.entries(record.providers).map(
        ([id, { outcome, age_ms, cache }]) => `  ${id} ${outcome} (${cache}, ${age_ms} ms old)`,
      ),
      `  custody ${record.custody.result}`,
      ...(unknown.length === 0 ? [] : ['Not known:']),
      ...unknown.map(({ what, rules: of }) => `  ${what}${of.length === 0 ? '' : `: ${of.join(', ')}`}`),
      ...(contradictions === null ? [] : describeContradictions(contradictions)),
      'Rules:',
      ...rules.flatMap(describeRule),
    ],
    json: {
      ...record,
      label,
      policy_known: isKnown,
      rules: rules.map(({ text, isWaived, isSatisfied, ...rule }) => ({
        ...rule,
        waived: isWaived,
        satisfied: isSatisfied,
        condition: text?.condition ?? null,
        description: text?.description ?? null,
        verdict: text?.verdict ?? null,
        parameters: text?.parameters ?? [],
      })),
      contradictions,
      unknown,
    },
  };
}

function describeRule(rule: Explanation['rules'][number]): readonly string[] {
  const { result, why, text, values, contributed, isWaived } = rule;
  const effect = isWaived ? ', waived' : contributed === null ? '' : ` → ${contributed}`;
  const head = `  ${result.padEnd(8)}${rule.rule}${effect}${why === null ? '' : `: ${why}`}`;
  if (text === null) return [head];
  const parameters = text.parameters.map(({ name, value }) => `      params.${name} = ${value}`);
  return [head, `    when ${text.condition.trim()}`, ...values.map(describeValue), ...parameters];
}

function describeValue({ name, value, why }: RuleValue): string {
  return `      ${name}${why === null ? ` = ${JSON.stringify(value)}` : `: ${why}`}`;
}

const WORDS = {
  true: 'contradict',
  false: 'agree',
  unknown: 'unknown',
  none: 'nothing to compare',
} as const;

function describeContradictions(found: NonNullable<Explanation['contradictions']>): readonly string[] {
  return [
    'Contradictions:',
    ...found.flatMap(({ id, result, because }) => [
      `  ${id}: ${WORDS[result]}`,
      ...Object.entries(because ?? {}).map(([name, value]) => `      ${name} = ${JSON.stringify(value)}`),
    ]),
  ];
}
