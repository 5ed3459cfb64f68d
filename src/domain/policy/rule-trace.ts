import type { OnUnknown } from './document.ts';

/** The result of one rule. An `inert` rule reads a provider that was not asked, and contributes nothing. */
export const RULE_RESULTS = ['true', 'false', 'unknown', 'inert'] as const;

/** What a rule can come to. */
export type RuleResult = (typeof RULE_RESULTS)[number];

/** One line of the trace. */
export interface RuleTrace {
  readonly rule: string;
  readonly result: RuleResult;
  /** Why it is unknown or inert. */
  readonly why?: string | undefined;
  /** What an unknown rule contributes, unless an exempt rule is true. */
  readonly on_unknown?: OnUnknown | undefined;
}
