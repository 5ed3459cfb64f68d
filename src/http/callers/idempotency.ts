import type {
  Claim,
  ClaimedRequest,
  IdempotencyStore,
  StoredAnswer,
} from '../../application/callers/idempotency-store.ts';
import { RiskgateError } from '../../domain/errors.ts';
import type { KeyedHash } from '../../platform/keyed-hash.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import type { IdempotencyResult, TrafficObserver } from './traffic-observer.ts';

interface IdempotencyOptions {
  readonly store: IdempotencyStore;
  /** Hashes under each known hash key, so that a retry finds its answer on replicas that use another one. */
  readonly hashes: readonly KeyedHash[];
  readonly newId: () => string;
  /** How long an answer is kept. */
  readonly ttlMs: number;
  /** How long a key stays claimed by a request that never ends: longer than any decision. */
  readonly lockMs: number;
  readonly traffic: TrafficObserver;
}

/** A request that carries an idempotency key. */
interface IdempotentRequest {
  readonly callerId: string;
  /** The field as it came. */
  readonly field: string | readonly string[];
  /** All that the answer depends on, spelled the same whenever it is the same. */
  readonly content: string;
  /** Which item of a batch it is, each of which has an answer of its own; absent for a whole request. */
  readonly item?: number;
}

/** The answer to a request with an idempotency key, and whether it was given before. */
export interface IdempotentAnswer {
  readonly answer: StoredAnswer;
  readonly isReplayed: boolean;
}

/**
 * Answers a request once. Rejects with `invalid_request`, `conflict` or `idempotency_mismatch`, or as `work`
 * does.
 */
export type AnswerOnce = (
  request: IdempotentRequest,
  work: () => StoredAnswer | Promise<StoredAnswer>,
) => Promise<IdempotentAnswer>;

/** A claimed request is answered within the deadline, which is seconds at most. */
const CONFLICT_RETRY_SECONDS = 1;

/**
 * Builds the flow around the store. When the store is down the work is done without protection: deciding
 * twice is safe, and refusing to decide is not. Failed work is not kept, and its key is free for a retry.
 */
export function createAnswerOnce(options: IdempotencyOptions): AnswerOnce {
  const { store, newId, ttlMs, lockMs, traffic } = options;
  return async ({ callerId, field, content, item }, work) => {
    const whole = `key ${callerId} ${parseIdempotencyKey(field)}`;
    const name = item === undefined ? whole : `item ${item} of ${whole}`;
    const owner = newId();
    const requests = options.hashes
      .map((hash): ClaimedRequest => ({ key: hash(name), fingerprint: hash(`content ${content}`), owner }))
      .sort((left, right) => (left.key < right.key ? -1 : 1));
    const claim = await claimAll(store, requests, lockMs);
    traffic.onIdempotentRequest(RESULTS[claim.kind]);
    if (claim.kind === 'stored') return { answer: claim.answer, isReplayed: true };
    if (claim.kind === 'in_flight') throw inFlight();
    if (claim.kind === 'mismatch') throw mismatch();
    try {
      const answer = await work();
      for (const request of requests) store.keep(request, answer, ttlMs);
      return { answer, isReplayed: false };
    } catch (error) {
      for (const request of requests) store.release(request);
      throw error;
    }
  };
}

/**
 * Claims one after the other, in an order that all replicas share: where two meet, one of them holds the
 * first key that they have in common.
 */
async function claimAll(
  store: IdempotencyStore,
  requests: readonly ClaimedRequest[],
  lockMs: number,
): Promise<Claim> {
  for (const [place, request] of requests.entries()) {
    const claim = await store.claim(request, lockMs);
    if (claim.kind === 'claimed') continue;
    for (const claimed of requests.slice(0, place)) store.release(claimed);
    return claim;
  }
  return { kind: 'claimed' };
}

const RESULTS = {
  claimed: 'claimed',
  stored: 'replayed',
  in_flight: 'in_flight',
  mismatch: 'mismatch',
  unavailable: 'unprotected',
} as const satisfies Record<string, IdempotencyResult>;

function inFlight(): RiskgateError {
  return new RiskgateError('conflict', 'A request with the same idempotency key is in flight.', {
    publicDetail: 'A request with this Idempotency-Key is still being answered.',
    retryAfterSeconds: CONFLICT_RETRY_SECONDS,
  });
}

function mismatch(): RiskgateError {
  return new RiskgateError('idempotency_mismatch', 'An idempotency key with another request.', {
    publicDetail: 'Use a new Idempotency-Key for every request that is not a retry.',
  });
}
