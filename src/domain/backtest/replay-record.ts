import type { DecisionRecord } from '../decision-log/decision-record.ts';
import { readRecordedInput } from '../decision-log/recorded-input.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { evaluatePolicy } from '../policy/evaluate.ts';
import type { Judgement } from '../policy/judgement.ts';
import { type RuleValue, valuesOf } from './rule-values.ts';

/**
 * Why a decision comes out otherwise. `other_rules`: the record has results of rules that its policy does not have in this place. `rule`: a condition
 * comes to something else of the same values. `combination`: every rule comes to the same, and what follows from
 * them does not. `wording`: all is the same but the text that says why a rule is unknown or inert.
 */
export type DifferenceCause = 'other_rules' | 'rule' | 'combination' | 'wording';

/** Where a decision comes out otherwise than it is recorded. */
export interface ReplayDifference {
  readonly decisionId: string;
  /** When it was decided, as the record has it. */
  readonly decidedAt: string;
  /** The version that made the decision. */
  readonly engine: string;
  readonly policy: string;
  /** `rules[3]`, `decision`, `reasons`, `waivers` or `degraded`: the first that differs, rules before what follows. */
  readonly field: string;
  readonly recorded: unknown;
  readonly found: unknown;
  readonly cause: DifferenceCause;
  /** Of the rule that differs. */
  readonly condition: string | null;
  readonly values: readonly RuleValue[];
}

/** What came of judging a record by the policy that it was made with. */
type Replayed =
  | { readonly kind: 'same' }
  | { readonly kind: 'different'; readonly difference: ReplayDifference }
  /** What the policy reads and the record does not have. */
  | { readonly kind: 'not_recorded'; readonly names: readonly string[] };

const SAME: Replayed = { kind: 'same' };

/**
 * Judges a record again by its own policy, and compares verdict, reasons, waivers, degradation and trace byte
 * for byte, as their JSON.
 */
export function replayRecord(policy: CompiledPolicy, record: DecisionRecord): Replayed {
  const input = readRecordedInput(policy, record);
  if (!input.ok) return { kind: 'not_recorded', names: input.mistakes };
  const { evidence, request, facts } = input.value;
  const judged = evaluatePolicy(policy, evidence, request, facts);
  if (isEqual(toJudged(record), toFound(judged))) return SAME;
  return { kind: 'different', difference: findDifference(policy, record, judged) };
}

type Judged = Pick<DecisionRecord, 'decision' | 'reasons' | 'waivers' | 'degraded'>;

function toJudged({ decision, reasons, waivers, degraded, rules }: DecisionRecord): [Judged, unknown] {
  return [{ decision, reasons, waivers, degraded }, rules];
}

function toFound({ verdict, reasons, waivers, degraded, trace }: Judgement): [Judged, unknown] {
  return [{ decision: verdict, reasons, waivers, degraded } as Judged, trace];
}

function findDifference(policy: CompiledPolicy, record: DecisionRecord, judged: Judgement): ReplayDifference {
  const { decision_id: decisionId, decided_at: decidedAt, engine } = record;
  const known = { decisionId, decidedAt, engine, policy: policy.hash };
  const [[told], [came]] = [toJudged(record), toFound(judged)];
  const places = Array.from(
    { length: Math.max(record.rules.length, judged.trace.length) },
    (_, place) => place,
  );
  const lineAt = (place: number) => ({
    recorded: record.rules[place] ?? null,
    found: judged.trace[place] ?? null,
  });
  const differing = places.filter((place) => !isEqual(lineAt(place).recorded, lineAt(place).found));
  const telling = differing.find((place) => !isReworded(lineAt(place)));
  const field = FIELDS.find((name) => !isEqual(told[name], came[name]));
  if (telling === undefined && field !== undefined)
    return {
      ...known,
      field,
      recorded: told[field],
      found: came[field],
      cause: 'combination',
      condition: null,
      values: [],
    };
  const place = telling ?? differing[0] ?? 0;
  const rule = policy.rules[place];
  const isOther = rule === undefined || lineAt(place).recorded?.rule !== rule.source.id;
  return {
    ...known,
    field: `rules[${place}]`,
    ...lineAt(place),
    cause: telling === undefined ? 'wording' : isOther ? 'other_rules' : 'rule',
    condition: isOther ? null : rule.source.when,
    values: isOther ? [] : valuesOf(rule.ast, record),
  };
}

/** What follows from the results of rules. */
const FIELDS = ['decision', 'reasons', 'waivers', 'degraded'] as const satisfies readonly (keyof Judged)[];

type Line = DecisionRecord['rules'][number] | null;

function isReworded({ recorded, found }: { readonly recorded: Line; readonly found: Line }): boolean {
  return isEqual({ ...recorded, why: null }, { ...found, why: null });
}

function isEqual(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
