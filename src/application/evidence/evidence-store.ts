import type { Evidence } from '../../domain/evidence.ts';

/** Where evidence is kept. A store never rejects and never throws: a failure is a miss. */
export interface EvidenceStore {
  /**
   * The evidence and the level it was found at, or null on a miss or a failure. Never returns expired
   * evidence.
   */
  get(key: string): StoredEvidence | null | Promise<StoredEvidence | null>;
  /**
   * As `get`. On a miss it also claims, in the same step, the upstream call for at most `claimMs` (0 claims
   * nothing). Null tells the caller to make the call, whether or not the claim succeeded; only a claim of
   * another replica is a reason to wait. After the call, use `set` or `release`, which end this replica's
   * claim.
   */
  getOrClaim(key: string, claimMs: number): StoreReading | Promise<StoreReading>;
  /**
   * Keeps evidence until its `expiresAtMs`. A settled answer that may not be kept removes what it
   * contradicts: older evidence is not served after it. Anything else only releases the claim. Does not wait
   * for a remote level.
   */
  set(key: string, evidence: Evidence): void;
  /**
   * Releases this replica's claim, if it has one, so that other replicas stop waiting for it. Does not wait
   * for a remote level.
   */
  release(key: string): void;
  /**
   * Removes keys from every level of this store and on every replica. Resolves false when some level could
   * not be reached, so that the purge may be incomplete.
   */
  purge(keys: readonly string[]): Promise<boolean>;
  /**
   * Calls back with keys that were purged, here or on another replica, so that results of calls in flight for
   * them are not cached.
   */
  onPurge(listener: (keys: readonly string[]) => void): void;
}

/** Evidence from a cache, and the level that had it. */
export interface StoredEvidence {
  readonly evidence: Evidence;
  readonly level: 'memory' | 'redis';
}

/**
 * Another replica has claimed the upstream call, and will put its result in the store. `claimant` identifies
 * that claim.
 */
export interface ForeignClaim {
  readonly claimant: string;
}

/** What a read of the cache found: evidence, another replica's claim to fetch it, or nothing. */
export type StoreReading = StoredEvidence | ForeignClaim | null;
