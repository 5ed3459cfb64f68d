import type { OnUnknown } from './document.ts';

/** How one rule came out. `inert` rules read a provider that was not asked, and so say nothing. */
export const RULE_RESULTS = ['true', 'false', 'unknown', 'inert'] as const;
export type RuleResult = (typeof RULE_RESULTS)[number];

/** One line of the explanation. `why` is null for true and false. */
export interface RuleTrace {
  readonly rule: string;
  readonly result: RuleResult;
  readonly why: string | null;
  /** What an unknown rule contributes, unless an exempt rule is true; null for the other results. */
  readonly on_unknown: OnUnknown | null;
}
