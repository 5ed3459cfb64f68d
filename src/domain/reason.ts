import type { Verdict } from './verdict.ts';

/** Why a decision is what it is: one rule that is true, or whose condition could not be decided. */
export interface Reason {
  /** The rule's reason code, upper snake case. */
  readonly code: string;
  readonly rule: string;
  /** What the rule contributes: its verdict when true, its `on_unknown` when unknown (ALLOW where that is IGNORE). */
  readonly verdict: Verdict;
  /** The providers whose signals or outcome the rule reads, in registry order. */
  readonly providers: readonly string[];
  /** False when the condition is unknown because evidence is missing. */
  readonly certain: boolean;
}

/** A rule that could not be decided and that the policy lets pass (`on_unknown: IGNORE`): an explicit fail-open. */
export interface Waiver {
  readonly code: string;
  readonly rule: string;
  readonly providers: readonly string[];
}
