import type { PolicyDocument, PolicyRule } from '../policy/document.ts';
import { VERDICTS, type Verdict } from '../verdict.ts';
import type { RecordFacts } from './record-facts.ts';
import { eachCountedRule, fromResultName, type RuleFilter, toResultName } from './rule-results.ts';

/** What a decision came to: its verdict, by which policy, and the rules that were not false. */
export interface Judged {
  readonly decision: Verdict;
  readonly policyHash: string;
  readonly rules: readonly RuleFilter[];
}

/** One text for all decisions that came to the same. */
export function toJudgedText(facts: RecordFacts): string {
  const rules = new Set<string>();
  eachCountedRule(facts, (rule, result) => rules.add(toResultName(rule, result)));
  return [facts.decision, facts.policy.hash, ...rules].join(' ');
}

/** What `toJudgedText` has spelled: neither hashes nor rules have spaces. */
export function fromJudgedText(text: string): Judged {
  const [decision, policyHash = '', ...rules] = text.split(' ');
  return {
    decision: VERDICTS.find((verdict) => verdict === decision) ?? 'BLOCK',
    policyHash,
    rules: rules.map(fromResultName),
  };
}

/**
 * The rule without which the verdict would have been another: the one exempt rule that was true, or the only
 * one that reached a verdict other than that of no rule. Null where several did, or none.
 */
export function decisiveRule({ decision, rules }: Judged, { rules: written, otherwise }: PolicyDocument) {
  const ruleOf = new Map(written.map((rule) => [rule.id, rule]));
  const satisfied = new Set(rules.filter(({ result }) => result === 'satisfied').map(({ name }) => name));
  const decisive: string[] = [];
  for (const { name, result } of rules) {
    const rule = ruleOf.get(name);
    if (rule === undefined || satisfied.has(name)) continue;
    if (rule.exempt && result === 'true') return name;
    if (contributionOf(rule, result) === decision) decisive.push(name);
  }
  return decision === otherwise || decisive.length !== 1 ? null : (decisive[0] ?? null);
}

function contributionOf(rule: PolicyRule, result: RuleFilter['result']): Verdict | null {
  if (rule.observe || result === 'waived' || result === 'satisfied') return null;
  if (result === 'true') return rule.verdict;
  return rule.on_unknown === 'IGNORE' ? null : rule.on_unknown;
}
