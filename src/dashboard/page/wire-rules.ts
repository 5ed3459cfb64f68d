import type { Counts, Verdict } from './wire.ts';

/**
 * What the page reads of the statistics of rules. `test/dashboard/wire.test.ts` holds it against the schemas of the routes.
 */

/** A share, of how many decisions, and between what the true one most likely is. */
export interface EstimatedShare {
  readonly share: number | null;
  readonly n: number;
  readonly low: number;
  readonly high: number;
}

/** How one rule does. */
export interface RuleStat {
  readonly rule: string;
  readonly in_force: boolean;
  /** Null where no text of it is known. */
  readonly written: {
    readonly verdict: Verdict;
    readonly reason: string;
    readonly when: string;
    readonly on_unknown: string;
    readonly exempt: boolean;
    readonly observe: boolean;
    readonly description: string | null;
  } | null;
  /** Since when it stands as it does; null where that is not known. */
  readonly since: string | null;
  readonly fired: number;
  readonly unknown: number;
  readonly waived: number;
  readonly satisfied: number;
  readonly fired_by_step: readonly number[] | null;
  readonly decisive: number;
  readonly labels: Counts;
  readonly precision: EstimatedShare;
  readonly recall: EstimatedShare;
  readonly challenge_pass: EstimatedShare;
  readonly time_to_label_ms: number | null;
}

/** The answer of GET /v1/stats/rules. */
export interface RuleStatistics {
  readonly since: string;
  readonly until: string;
  readonly step_seconds: number;
  readonly total: number;
  readonly labels: Counts;
  readonly rules: readonly RuleStat[];
  readonly policies_unknown: number;
  readonly omitted: number;
  readonly covered_since: string | null;
}
