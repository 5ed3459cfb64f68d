import type { OnUnknown, PolicyRule } from './document.ts';

/** The result of one rule. An `inert` rule reads a provider that was not asked, and contributes nothing. */
export const RULE_RESULTS = ['true', 'false', 'unknown', 'inert'] as const;

/** What a rule can come to. */
type RuleResult = (typeof RULE_RESULTS)[number];

/** One line of the trace. */
export interface RuleTrace {
  readonly rule: string;
  readonly result: RuleResult;
  /** Why it is unknown or inert. */
  readonly why?: string | undefined;
  /** What an unknown rule contributes, unless an exempt rule is true. */
  readonly on_unknown?: OnUnknown | undefined;
}

/** Why a rule is unknown that reads a signal which is absent from evidence that is there. */
export const ABSENT_SIGNAL = 'a signal it reads is absent';

/** The line of a rule that is unknown. */
export function toUnknown({ id, on_unknown }: PolicyRule, why: string): RuleTrace {
  return Object.freeze({ rule: id, result: 'unknown', why, on_unknown });
}
