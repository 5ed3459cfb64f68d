/** Filters that somebody saved for colleagues, under a name. */
export interface SavedQueue {
  readonly name: string;
  /** As in the query of GET /v1/decisions. No raw identifiers. */
  readonly filters: Readonly<Record<string, string>>;
  /** The id of the API key, or the name of the person. */
  readonly savedBy: string;
  /** Unix milliseconds. */
  readonly savedAtMs: number;
}

/** Who reviews: `name` is what others see, `holder` (hex digits) what tells two who share a key apart. */
export interface Reviewer {
  readonly holder: string;
  readonly name: string;
}

/** A decision that somebody has taken to review it. */
export interface ReviewClaim extends Reviewer {
  readonly decisionId: string;
  /** Unix milliseconds: then it is free again. */
  readonly untilMs: number;
}

/** Where reviews are kept: `process` forgets them with its end, and tells no replica; `file` keeps queues. */
export const REVIEW_PLACES = ['redis', 'file', 'process'] as const;

/** How many queues are kept at once. */
export const QUEUES_MAX = 100;
/** How many decisions are taken at once, by all. */
export const CLAIMS_MAX = 1_000;
/** How long a decision stays taken: the page takes it again while it is open. */
export const LEASE_MS = 5 * 60_000;

/** Keeps queues and claims. It never rejects; null and `unknown` where it cannot tell. */
export interface ReviewStore {
  readonly place: (typeof REVIEW_PLACES)[number];
  /** By their names. */
  queues(): Promise<readonly SavedQueue[] | null>;
  /** Keeps one in place of what has its name. `full`: there are QUEUES_MAX others. */
  putQueue(queue: SavedQueue): Promise<'kept' | 'full' | 'unknown'>;
  /** False where there is none of this name. */
  removeQueue(name: string): Promise<boolean | 'unknown'>;
  /** Those in force. */
  claims(): Promise<readonly ReviewClaim[] | null>;
  /**
   * Takes decisions for LEASE_MS from now, in one atomic step, but those that another holder has. The claims in
   * force on these decisions; one is missing where CLAIMS_MAX are taken.
   */
  claim(decisionIds: readonly string[], by: Reviewer): Promise<readonly ReviewClaim[] | null>;
  /** Gives a decision back; one that another holder has stays taken. */
  release(decisionId: string, holder: string): Promise<boolean | 'unknown'>;
  close(): Promise<void>;
}
