/** Why a request was refused before a decision. */
const REFUSALS = ['wrong_keys', 'rate', 'concurrency', 'in_flight', 'event_loop', 'heap', 'reads'] as const;

/** Why a request was refused before it was decided. */
export type RefusalReason = (typeof REFUSALS)[number];

/**
 * The result of a request with an idempotency key. `unprotected`: the store was down, and the request was
 * decided without it.
 */
export type IdempotencyResult = 'claimed' | 'replayed' | 'in_flight' | 'mismatch' | 'unprotected';

/** Observes requests before they are decided. It must not throw or block. */
export interface TrafficObserver {
  /** `caller` is the id of the API key, null where the caller is not known. */
  onRefused(reason: RefusalReason, caller: string | null): void;
  onIdempotentRequest(result: IdempotencyResult): void;
}
