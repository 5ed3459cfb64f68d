/** A candidate that somebody registered. */
export interface StoredCandidate {
  /** That of its policy; one candidate at a time has it. */
  readonly id: string;
  readonly hash: string;
  /** The text that the hash is of. */
  readonly text: string;
  /** The text of its cases; null where it has none. */
  readonly tests: string | null;
  /** The id of the API key. */
  readonly addedBy: string;
  /** Unix milliseconds. */
  readonly addedAtMs: number;
}

/** Where candidates are kept: `process` forgets them with its end, and tells no replica. */
export const CANDIDATE_PLACES = ['redis', 'process'] as const;

/** How many candidates are kept at once. */
export const CANDIDATES_MAX = 8;

/** `full`: there are CANDIDATES_MAX others. `unknown`: it may have been kept, or not. */
export type PutResult = 'kept' | 'full' | 'unknown';

/** Keeps candidates that were registered. It never rejects. */
export interface CandidateStore {
  readonly place: (typeof CANDIDATE_PLACES)[number];
  /** As last heard, by their ids; the same array until it changes. */
  candidates(): readonly StoredCandidate[];
  /** Keeps one in place of what has its id. */
  put(candidate: StoredCandidate): Promise<PutResult>;
  /** What was removed; null where there is none, `unknown` where it may still be there. */
  remove(id: string): Promise<StoredCandidate | null | 'unknown'>;
  /** Calls back when candidates have changed, here or elsewhere. */
  onChange(listener: () => void): void;
  close(): Promise<void>;
}
