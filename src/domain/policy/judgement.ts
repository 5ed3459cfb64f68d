import type { ChallengeDemand, Reason, Waiver } from '../reason.ts';
import { stricterOf, strictnessOf, type Verdict } from '../verdict.ts';
import { toChallenge } from './challenge.ts';
import type { CompiledPolicy, CompiledRule } from './compile.ts';
import type { RuleTrace } from './rule-trace.ts';

/** The result of a policy on given evidence. Frozen: decisions with the same results share it. */
export interface Judgement {
  readonly verdict: Verdict;
  /** Every rule that is true or unknown, strictest first. */
  readonly reasons: readonly Reason[];
  readonly waivers: readonly Waiver[];
  /**
   * True when a provider that some rule reads ended in an indefinite outcome, or custody that some rule reads
   * is unknown.
   */
  readonly degraded: boolean;
  /** One entry for each rule, in the order of the file, including rules that an exempt rule overrides. */
  readonly trace: readonly RuleTrace[];
  /** What would satisfy a CHALLENGE; null for any other verdict. */
  readonly challenge: ChallengeDemand | null;
  /** For how many seconds an ALLOW that needs a step-up holds; null for any other. */
  readonly satisfiedSeconds: number | null;
}

/** A judgement while it is built, rule by rule. The verdict is null until a rule contributes. */
interface JudgementDraft {
  verdict: Verdict | null;
  readonly reasons: Reason[];
  readonly waivers: Waiver[];
}

/** The judgement of the results of all rules, in the order of the file. */
export function toJudgement(
  policy: CompiledPolicy,
  trace: readonly RuleTrace[],
  degraded: boolean,
): Judgement {
  const { rules, document } = policy;
  const exempt = rules.findIndex((rule, place) => rule.source.exempt && trace[place]?.result === 'true');
  const draft: JudgementDraft = { verdict: null, reasons: [], waivers: [] };
  trace.forEach((line, place) => {
    const rule = rules[place];
    if (rule !== undefined && (exempt === -1 || place === exempt)) contribute(rule, line, draft);
  });
  draft.reasons.sort(byStrictness);
  const verdict = draft.verdict ?? document.otherwise;
  return Object.freeze({
    verdict,
    reasons: Object.freeze(draft.reasons),
    waivers: Object.freeze(draft.waivers),
    degraded,
    trace: Object.freeze(trace),
    challenge: verdict === 'CHALLENGE' ? toChallenge(policy, draft.reasons) : null,
    satisfiedSeconds: null,
  });
}

function contribute(rule: CompiledRule, { result }: RuleTrace, draft: JudgementDraft): void {
  const { id, reason: code, verdict, on_unknown: onUnknown } = rule.source;
  if (result === 'false' || result === 'inert') return;
  const { providers } = rule;
  const certain = result === 'true';
  const isWaived = !certain && onUnknown === 'IGNORE';
  const contributed: Verdict = certain ? verdict : onUnknown === 'IGNORE' ? 'ALLOW' : onUnknown;
  draft.reasons.push(Object.freeze({ code, rule: id, verdict: contributed, providers, certain }));
  if (rule.source.observe) return;
  if (isWaived) draft.waivers.push(Object.freeze({ code, rule: id, providers }));
  else draft.verdict = draft.verdict === null ? contributed : stricterOf(draft.verdict, contributed);
}

function byStrictness(left: Reason, right: Reason): number {
  return (
    strictnessOf(right.verdict) - strictnessOf(left.verdict) || Number(right.certain) - Number(left.certain)
  );
}
