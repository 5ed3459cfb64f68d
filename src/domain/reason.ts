import type { Verdict } from './verdict.ts';

/** One reason of a decision: a rule that is true, or whose condition is unknown. */
export interface Reason {
  /** The rule's reason code, upper snake case. */
  readonly code: string;
  readonly rule: string;
  /**
   * What the rule contributes: its verdict when true, its `on_unknown` when unknown (ALLOW where that is
   * IGNORE).
   */
  readonly verdict: Verdict;
  /** The providers whose signals or outcome the rule reads, in registry order. */
  readonly providers: readonly string[];
  /** False when the condition is unknown because evidence is missing. */
  readonly certain: boolean;
  /** True where a step-up satisfies what the rule contributes, which then counts for nothing; else absent. */
  readonly satisfied?: boolean;
  /** The step-up that does; absent where none does. */
  readonly step_up?: {
    readonly age_seconds: number;
    readonly method: string | null;
    readonly acr: string | null;
  };
}

/** What would satisfy a CHALLENGE. */
export interface ChallengeDemand {
  /** What a step-up must achieve, one of these, the least first; empty where any will do. */
  readonly acr_values: readonly string[];
  /** A step-up must be younger; null where none satisfies the policy. */
  readonly max_age_seconds: number | null;
}

/** An unknown rule that the policy ignores (`on_unknown: IGNORE`): an explicit fail-open. */
export interface Waiver {
  readonly code: string;
  readonly rule: string;
  readonly providers: readonly string[];
}
