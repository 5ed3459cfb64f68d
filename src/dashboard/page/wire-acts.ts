/** What the page reads of answers to those who act; see wire.ts. */

/** An entry of a list. */
export interface ListEntry {
  readonly id: string;
  readonly part: string;
  /** Of a subject's part its keyed hash. */
  readonly value: string;
  readonly hash_key: string | null;
  readonly added_at: string;
  readonly added_by: string;
  readonly expires_at: string | null;
  readonly note: string | null;
}

/** What the page reads of GET /v1/lists. */
export interface ListNames {
  readonly lists: readonly { readonly list: string; readonly in_policy: boolean }[];
  readonly knowledge: string;
}

/** The answer of PUT /v1/lists/{list}/entries. */
export interface PutEntry {
  readonly entry: ListEntry;
  readonly replaced: boolean;
  /** What it replaced. */
  readonly former: ListEntry | null;
}

/** The answer of GET /v1/review/queues. */
export interface ReviewQueues {
  readonly queues: readonly {
    readonly name: string;
    readonly filters: Readonly<Record<string, string>>;
    readonly saved_by: string;
  }[];
  readonly kept_in: string;
}

/** Who reviews what. */
export interface ReviewClaims {
  readonly claims: readonly {
    readonly decision_id: string;
    readonly name: string;
    readonly is_mine: boolean;
    readonly until: string;
  }[];
}
