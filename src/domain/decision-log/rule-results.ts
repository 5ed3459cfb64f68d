import type { DecisionRecord } from './decision-record.ts';

/**
 * What a rule came to where it mattered: it was true, or it could not be decided, or it could not be decided
 * and the policy let that pass. Of one that was true or could not be decided, also whether a step-up satisfied
 * it.
 */
const COUNTED_RESULTS = ['true', 'unknown', 'waived', 'satisfied'] as const;

/** A result that is counted. */
export type CountedResult = (typeof COUNTED_RESULTS)[number];

/** What a record, or its facts, hold of the rules. */
export interface JudgedRules {
  /** The rule is known of those that are satisfied. */
  readonly reasons: readonly (Pick<DecisionRecord['reasons'][number], 'code' | 'certain' | 'satisfied'> & {
    readonly rule?: string;
  })[];
  readonly waivers: readonly Pick<DecisionRecord['waivers'][number], 'code' | 'rule'>[];
  readonly rules: readonly Pick<DecisionRecord['rules'][number], 'rule' | 'result'>[];
}

/** A rule by its id or by its reason code, and what it came to. */
export interface RuleFilter {
  readonly name: string;
  readonly result: CountedResult;
}

/** How a rule or a reason code with its result is spelled in counts: `a`, `a:unknown`, `a:waived`, `a:satisfied`. */
export function toResultName(name: string, result: CountedResult): string {
  return result === 'true' ? name : `${name}:${result}`;
}

/** The name and the result of what `toResultName` has spelled. */
export function fromResultName(text: string): RuleFilter {
  const [name = '', result] = text.split(':');
  return { name, result: COUNTED_RESULTS.find((known) => known === result) ?? 'true' };
}

/** Calls back for each rule that was true, unknown or waived, and again where it was satisfied. */
export function eachCountedRule(
  { rules, reasons, waivers }: JudgedRules,
  tell: (rule: string, result: CountedResult) => void,
): void {
  for (const { rule, result } of rules) {
    if (result === 'true') tell(rule, result);
    if (result === 'unknown' && !waivers.some((waiver) => waiver.rule === rule)) tell(rule, result);
  }
  for (const { rule } of waivers) tell(rule, 'waived');
  for (const { rule, satisfied } of reasons)
    if (satisfied === true && rule !== undefined) tell(rule, 'satisfied');
}

/** Calls back for each reason code: certain, not certain, or of a rule that was waived; again where satisfied. */
export function eachCountedReason(
  { reasons, waivers }: Omit<JudgedRules, 'rules'>,
  tell: (code: string, result: CountedResult) => void,
): void {
  for (const { code, certain, satisfied } of reasons) {
    tell(code, certain ? 'true' : 'unknown');
    if (satisfied === true) tell(code, 'satisfied');
  }
  for (const { code } of waivers) tell(code, 'waived');
}

/** True when a rule of this id or reason code came to this result. */
export function matchesRule(judged: JudgedRules, { name, result }: RuleFilter): boolean {
  let isFound = false;
  const look = (found: string, came: CountedResult) => {
    isFound ||= found === name && came === result;
  };
  eachCountedRule(judged, look);
  eachCountedReason(judged, look);
  return isFound;
}
