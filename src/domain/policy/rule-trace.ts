import type { OnUnknown } from './document.ts';

/** How one rule came out. `inert` rules read a provider that was not asked, and so say nothing. */
export const RULE_RESULTS = ['true', 'false', 'unknown', 'inert'] as const;
export type RuleResult = (typeof RULE_RESULTS)[number];

/** One line of the explanation. */
export interface RuleTrace {
  readonly rule: string;
  readonly result: RuleResult;
  /** Why it is unknown or inert. */
  readonly why?: string | undefined;
  /** What an unknown rule contributes, unless an exempt rule is true. */
  readonly on_unknown?: OnUnknown | undefined;
}
