/** Why a request was turned away before anything was decided. */
const REFUSALS = ['wrong_keys', 'rate', 'concurrency', 'in_flight', 'event_loop', 'heap', 'reads'] as const;

/** Why a request was refused before it was decided. */
export type RefusalReason = (typeof REFUSALS)[number];

/** What became of a request with an idempotency key. `unprotected`: the store was lost, and the request was decided without it. */
export type IdempotencyResult = 'claimed' | 'replayed' | 'in_flight' | 'mismatch' | 'unprotected';

/** Told of what happens to requests before they are decided, and never a reason for one to fail or wait. */
export interface TrafficObserver {
  /** `caller` is the id of the API key, null where nobody is known. */
  onRefused(reason: RefusalReason, caller: string | null): void;
  onIdempotentRequest(result: IdempotencyResult): void;
}
