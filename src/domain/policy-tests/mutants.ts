import type { PolicyDocument, PolicyRule } from '../policy/document.ts';
import { toSeconds } from '../policy/duration.ts';
import { VERDICTS } from '../verdict.ts';
import { parseCondition, writeCondition } from './condition-text.ts';
import { changesOf } from './mutate-condition.ts';

/** A policy with one small change that its cases should tell. */
export interface Mutant {
  /** The rule that was changed; null for what all of them share. */
  readonly rule: string | null;
  /** What was changed, in a few words. */
  readonly what: string;
  /** The changed lines of the policy, before and after; an empty text where there is none. */
  readonly before: string;
  readonly after: string;
  readonly document: PolicyDocument;
}

type RuleChange = Pick<Mutant, 'what' | 'before' | 'after'> & { readonly changed: PolicyRule | null };

/** Every mutant of a policy. Some are no policies, which shows when they are compiled. */
export function* mutantsOf(document: PolicyDocument): Generator<Mutant> {
  for (const [place, rule] of document.rules.entries())
    for (const { changed, ...words } of changesOfRule(rule)) {
      const rules = document.rules.flatMap((one, at) =>
        at !== place ? [one] : changed === null ? [] : [changed],
      );
      yield { rule: rule.id, ...words, document: { ...document, rules } };
    }
  yield* mutantsOfParameters(document);
  const milder = milderOf(document.otherwise);
  if (milder !== null)
    yield {
      rule: null,
      ...words('milder verdict', 'otherwise', document.otherwise, milder),
      document: { ...document, otherwise: milder },
    };
}

function* changesOfRule(rule: PolicyRule): Generator<RuleChange> {
  const { when, verdict, on_unknown: onUnknown, step_up: stepUp, min_acr: minAcr, exempt, observe } = rule;
  const seen = new Set([writeCondition(parseCondition(when))]);
  for (const { what, tree } of changesOf(parseCondition(when))) {
    const text = writeCondition(tree);
    if (text === null || seen.has(text)) continue;
    seen.add(text);
    yield { ...words(what, 'when', when, text), changed: { ...rule, when: text } };
  }
  const { step_up: _, min_acr: __, ...bare } = rule;
  const milder = exempt || observe ? null : milderOf(verdict);
  if (milder !== null)
    yield {
      ...words('milder verdict', 'verdict', verdict, milder),
      changed: { ...(verdict === 'CHALLENGE' ? bare : rule), verdict: milder },
    };
  if (!observe && onUnknown !== 'IGNORE') {
    const passed = onUnknown === 'BLOCK' ? 'CHALLENGE' : 'IGNORE';
    yield {
      ...words('milder when unknown', 'on_unknown', onUnknown, passed),
      changed: { ...rule, on_unknown: passed },
    };
  }
  if (stepUp !== undefined) {
    yield { what: 'without step_up', before: `step_up: ${stepUp}`, after: '', changed: bare };
    for (const near of durationsNear(stepUp))
      yield { ...words('another duration', 'step_up', stepUp, near), changed: { ...rule, step_up: near } };
  }
  if (minAcr !== undefined) {
    const { min_acr: ___, ...rest } = rule;
    yield { what: 'without min_acr', before: `min_acr: ${minAcr}`, after: '', changed: rest };
  }
  if (exempt)
    yield { what: 'without exempt', before: 'exempt: true', after: '', changed: { ...rule, exempt: false } };
  if (observe)
    yield {
      what: 'without observe',
      before: 'observe: true',
      after: '',
      changed: { ...rule, observe: false },
    };
  yield { what: 'without the rule', before: `id: ${rule.id}`, after: '', changed: null };
}

/**
 * Numbers and durations one more and one less; texts, and items of lists, another or none. Of those that rules read:
 * what others are for is found before the policy is asked.
 */
function* mutantsOfParameters(document: PolicyDocument): Generator<Mutant> {
  const texts = document.rules.map(({ when, step_up: stepUp = '' }) => `${when} ${stepUp}`).join(' ');
  const read = new Set(texts.match(/params\.\w+/g));
  for (const [name, parameter] of Object.entries(document.parameters)) {
    if (!read.has(`params.${name}`)) continue;
    const { value } = parameter;
    for (const near of valuesNear(value)) {
      const parameters = { ...document.parameters, [name]: { ...parameter, value: near } };
      const said = words('another parameter', 'value', JSON.stringify(value), JSON.stringify(near));
      yield {
        rule: null,
        what: said.what,
        before: `${name}: { ${said.before} }`,
        after: `${name}: { ${said.after} }`,
        document: { ...document, parameters },
      };
    }
  }
}

function valuesNear(value: unknown): readonly unknown[] {
  if (typeof value === 'number') return [value + 1, value - 1];
  if (typeof value === 'boolean') return [!value];
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.length > 1 ? items.map((_, place) => items.toSpliced(place, 1)) : [];
  }
  const near = durationsNear(String(value));
  return near.length > 0 ? near : [`${String(value)}~`];
}

function durationsNear(text: string): readonly string[] {
  const seconds = toSeconds(text);
  return seconds === null ? [] : [seconds + 1, seconds - 1].filter((one) => one >= 0).map((one) => `${one}s`);
}

function milderOf(verdict: PolicyRule['verdict']): PolicyRule['verdict'] | null {
  return VERDICTS[VERDICTS.indexOf(verdict) - 1] ?? null;
}

function words(
  what: string,
  field: string,
  before: string,
  after: string,
): Pick<Mutant, 'what' | 'before' | 'after'> {
  return { what, before: `${field}: ${before}`, after: `${field}: ${after}` };
}
