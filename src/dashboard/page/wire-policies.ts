/**
 * What the page reads of policies. `test/dashboard/wire.test.ts` holds it against the schemas of the routes.
 */

/** How a policy came into force. */
export interface PolicyEntry {
  readonly id: string;
  readonly hash: string;
  readonly since: string;
  readonly why: string;
  /** The id of an API key; null for a file, and for what the service does by itself. */
  readonly by: string | null;
  readonly previous_hash: string | null;
}

/** The answer of GET /v1/policies. */
export interface Policies {
  readonly in_force: {
    readonly id: string;
    readonly hash: string;
    readonly state: string;
    readonly put: PolicyEntry | null;
    readonly file: { readonly id: string; readonly hash: string; readonly differs: boolean };
  };
  readonly candidates: readonly {
    readonly id: string;
    readonly hash: string;
    readonly from: 'file' | 'api';
    readonly not_asked_for: readonly string[];
    readonly added_by: string | null;
    readonly added_at: string | null;
  }[];
  /** Null where none is under way. */
  readonly promotion: UnderWay | null;
  readonly promotion_state: string;
}

/** A promotion that is under way. */
export interface UnderWay {
  readonly stage: 'share' | 'watch';
  /** The new policy in a share, the former one in a watch. */
  readonly other: { readonly id: string; readonly hash: string };
  /** Of accounts, 0 to 1. */
  readonly share: number;
  readonly began_at: string;
  /** Null until it is in force. */
  readonly watched_until: string | null;
}

/** The answer of GET /v1/policies/history. */
export interface PolicyHistory {
  /** Newest first. */
  readonly policies: readonly PolicyEntry[];
  readonly kept_in: string;
}

/** The answer of GET /v1/policies/{hash}. */
export interface KeptPolicy {
  readonly id: string;
  readonly hash: string;
  readonly text: string;
}

/** One check of a promotion. */
export interface PromotionCheck {
  readonly id: string;
  readonly passed: boolean;
  readonly detail: string;
}

/** The answer of GET /v1/policies/{id}/promotion. */
export interface Promotion {
  readonly candidate: { readonly id: string; readonly hash: string };
  readonly passed: boolean;
  readonly checks: readonly PromotionCheck[];
}

/** The answer of GET /v1/policies/{hash}/analysis. */
export interface PolicyAnalysis {
  readonly state: 'done' | 'running' | 'failed';
  readonly findings: readonly {
    readonly kind: string;
    readonly severity: 'error' | 'warning' | 'note';
    readonly rule: string | null;
    readonly message: string;
    readonly proven: boolean;
  }[];
  readonly limits: readonly string[];
  readonly complete: boolean;
}
