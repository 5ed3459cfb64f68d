import { type ASTNode, parse } from '@marcbachmann/cel-js';
import { BECAUSE, NOTHING_COMPARED, wantedBy } from '../contradictions/contradiction-signals.ts';
import { CONTRADICTIONS } from '../contradictions/registry.ts';
import type { DecisionRecord } from '../decision-log/decision-record.ts';
import { isDefinite } from '../evidence.ts';
import type { PolicyDocument } from '../policy/document.ts';
import { type RuleValue, valuesOf } from './rule-values.ts';

/** A rule as it stood in the policy of a decision. */
export interface RuleText {
  readonly condition: string;
  readonly description: string | null;
  readonly verdict: string;
  /** Those that the condition reads, as they are written. */
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
}

/** What one rule came to, and by what. */
interface ExplainedRule {
  readonly rule: string;
  readonly result: DecisionRecord['rules'][number]['result'];
  readonly why: string | null;
  /** Null where the policy is not known. */
  readonly text: RuleText | null;
  /** What it contributed; null where it was false, inert, or overridden by an exempt rule. */
  readonly contributed: DecisionRecord['decision'] | null;
  readonly isWaived: boolean;
  /** A step-up satisfied its CHALLENGE. */
  readonly isSatisfied: boolean;
  readonly values: readonly RuleValue[];
}

/** What two pieces of evidence came to, with both sides and the working. */
interface ExplainedContradiction {
  readonly id: string;
  readonly result: 'true' | 'false' | 'unknown' | 'none';
  /** Null where it is unknown, or there was nothing to compare. */
  readonly because: Readonly<Record<string, unknown>> | null;
}

/** Something that was not known, and the rules that could not be decided for it. */
interface ExplainedUnknown {
  readonly what: string;
  readonly rules: readonly string[];
}

/** A recorded decision, and why. */
export interface Explanation {
  readonly rules: readonly ExplainedRule[];
  /** Null where no rule needed any. */
  readonly contradictions: readonly ExplainedContradiction[] | null;
  readonly unknown: readonly ExplainedUnknown[];
}

/** The texts of the rules of a policy, by their ids. */
export function ruleTextsOf({ rules, parameters }: PolicyDocument): ReadonlyMap<string, RuleText> {
  return new Map(
    rules.map(({ id, when, description, verdict }) => {
      const read = Object.entries(parameters).filter(([name]) => readsParameter(when, name));
      return [
        id,
        {
          condition: when,
          description: description ?? null,
          verdict,
          parameters: read.map(([name, { value }]) => ({
            name,
            value: typeof value === 'string' ? value : JSON.stringify(value),
          })),
        },
      ];
    }),
  );
}

function readsParameter(when: string, name: string): boolean {
  return new RegExp(`\\bparams\\s*(\\.\\s*${name}\\b|\\[\\s*["']${name}["']\\s*\\])`).test(when);
}

/** Explains a record by the rules of its policy; those that are not known are shown without their condition. */
export function explainRecord(record: DecisionRecord, texts: ReadonlyMap<string, RuleText>): Explanation {
  const rules = record.rules.map(({ rule, result, why = null }): ExplainedRule => {
    const text = texts.get(rule) ?? null;
    const reason = record.reasons.find((one) => one.rule === rule);
    const ast = text === null ? null : parseCondition(text.condition);
    return {
      rule,
      result,
      why,
      text,
      contributed: reason?.verdict ?? null,
      isWaived: record.waivers.some((waiver) => waiver.rule === rule),
      isSatisfied: reason?.satisfied === true,
      values: ast === null ? [] : valuesOf(ast, record),
    };
  });
  return { rules, contradictions: toContradictions(record, rules), unknown: toUnknown(record, rules) };
}

/** Null for a text that this version cannot read. */
function parseCondition(condition: string): ASTNode | null {
  try {
    return parse(condition).ast;
  } catch {
    // What it is told of the rule stands beside it.
    return null;
  }
}

function toContradictions(
  { contradictions: told }: DecisionRecord,
  rules: readonly ExplainedRule[],
): Explanation['contradictions'] {
  if (told === null || told === undefined || told === 'none') return null;
  const known: object = typeof told === 'string' ? {} : told;
  const nothing: unknown = Reflect.get(known, NOTHING_COMPARED);
  const read = rules.flatMap(({ values }) =>
    values.flatMap(({ name }) => (name.startsWith('contradictions.') ? [name.split('.').slice(1)] : [])),
  );
  const wanted = wantedBy(read);
  return CONTRADICTIONS.flatMap((contradiction): ExplainedContradiction[] => {
    const { id } = contradiction;
    const found: unknown = Reflect.get(known, id);
    const because: unknown = Reflect.get(Object(Reflect.get(known, BECAUSE)), id);
    const isNothing = Array.isArray(nothing) && nothing.includes(id);
    if (typeof found === 'boolean')
      return [{ id, result: found ? 'true' : 'false', because: { ...Object(because) } }];
    // One that nobody looked for is not unknown.
    return isNothing || wanted.includes(contradiction)
      ? [{ id, result: isNothing ? 'none' : 'unknown', because: null }]
      : [];
  });
}

/** Providers that gave no definite answer, and whatever else rules could not be decided for. */
function toUnknown(record: DecisionRecord, rules: readonly ExplainedRule[]): readonly ExplainedUnknown[] {
  const unknown = new Map<string, string[]>();
  for (const [id, { outcome, suspect }] of Object.entries(record.providers)) {
    if (!isDefinite(outcome)) unknown.set(`${id} ${outcome}`, []);
    if (suspect) unknown.set(`${id} suspect`, []);
  }
  for (const { rule, result, why } of rules) {
    if (result !== 'unknown') continue;
    for (const what of (why ?? 'not told').split(', ')) {
      const known = unknown.get(what) ?? [];
      unknown.set(what, [...known, rule]);
    }
  }
  return [...unknown].map(([what, of]) => ({ what, rules: of }));
}
