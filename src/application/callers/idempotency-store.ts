/** A decision that is kept for retries of its request. `body` is the text that was sent. */
export interface StoredAnswer {
  readonly decisionId: string;
  readonly body: string;
}

/**
 * The state of an idempotency key. `unavailable`: the store cannot tell, so the request may be processed
 * twice.
 */
export type Claim =
  | { readonly kind: 'claimed' | 'in_flight' | 'mismatch' | 'unavailable' }
  | { readonly kind: 'stored'; readonly answer: StoredAnswer };

/**
 * One request that must be processed once. `key` and `fingerprint` are keyed hashes; `owner` identifies this
 * attempt.
 */
export interface ClaimedRequest {
  readonly key: string;
  readonly fingerprint: string;
  readonly owner: string;
}

/**
 * Keeps answers by idempotency key. Never rejects and never throws: a failure is `unavailable`, or loses the
 * answer.
 */
export interface IdempotencyStore {
  /** Claims the key for `lockMs` at most, unless another request holds it or its answer is kept. */
  claim(request: ClaimedRequest, lockMs: number): Claim | Promise<Claim>;
  /**
   * Keeps the answer for `ttlMs` in place of the claim of the same owner, or where the key is free; changes
   * nothing else. Does not wait for a remote store.
   */
  keep(request: ClaimedRequest, answer: StoredAnswer, ttlMs: number): void;
  /** Releases the claim of the same owner, so that a retry is processed as a new request. */
  release(request: ClaimedRequest): void;
}
