import type { CustodyClaim, CustodyRecord } from '../domain/custody.ts';
import type { Decision } from '../domain/decision.ts';
import type {
  Evidence,
  EvidenceOrigin,
  IndefiniteOutcome,
  SettledOutcome,
  Signals,
} from '../domain/evidence.ts';
import type { SubjectPart } from '../domain/subject.ts';
import type { BreakerState } from './operation-observer.ts';
import type { Span } from './tracer.ts';

/** Milliseconds. `nowMs` is Unix time for records, `monotonicMs` never jumps and serves durations. */
export interface Clock {
  nowMs(): number;
  monotonicMs(): number;
}

/** What one provider is asked: the id, and values that may be passed on to it. */
export interface ProviderQuery {
  readonly id: string;
  readonly accountId?: string | undefined;
  readonly action?: string | undefined;
}

/** The limits of one lookup. */
export interface LookLimits {
  /** Evidence older than this is not used; null accepts all evidence that has not expired. */
  readonly maxAgeMs: number | null;
  /** Monotonic milliseconds at which the caller is answered; absent without a deadline. */
  readonly deadlineAtMs?: number;
  /** The trace that the lookup is a part of; absent where nothing is traced. */
  readonly span?: Span | null;
  /** The caller and the end user's address, for statistics in this process only; never sent anywhere. */
  readonly caller?: string | undefined;
  readonly ip?: string | undefined;
}

/** Evidence and its origin. */
export interface LookResult {
  readonly evidence: Evidence;
  readonly origin: EvidenceOrigin;
}

/**
 * One enabled provider as the use cases see it. `look` never rejects: every failure is an outcome. It answers
 * synchronously when the evidence is in memory, so that a warm decision costs no turn of the event loop.
 */
export interface EvidenceSource {
  readonly id: string;
  readonly subject: SubjectPart;
  look(query: ProviderQuery, limits: LookLimits): LookResult | Promise<LookResult>;
  /** The signals as a policy reads them at `nowMs`: the stored ones with their ages added. */
  present(signals: Signals, nowMs: number): Signals;
  /**
   * When the subject's id itself expires, Unix milliseconds, by its signals; null where the provider does not
   * report it.
   */
  subjectExpiresAtMs(signals: Signals): number | null;
  /**
   * When the subject's id was created, Unix milliseconds, by its signals; null where the provider does not
   * report it.
   */
  subjectCreatedAtMs(signals: Signals): number | null;
  /** The signals of an id that the provider does not know, or that is missing. */
  readonly notFoundSignals: Signals;
  /** The store key for an id: keyed hashes only. */
  keyOf(id: string): string;
  /** The store keys under the other known hash keys, which replicas may use; a purge removes these too. */
  olderKeysOf(id: string): readonly string[];
  /**
   * True while `not_found` of this provider is in doubt: it no longer finds any id, most likely because our
   * URL, key or environment is wrong.
   */
  isSuspect(): boolean;
}

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
  /** Keeps evidence until its `expiresAtMs`, or only releases the claim. Does not wait for a remote level. */
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

/** A telemetry id and who uses it, as one hash key names them. */
export interface CustodyName {
  readonly key: string;
  readonly claim: CustodyClaim;
}

/**
 * Binds telemetry ids to their first users. Keys and claims hold keyed hashes only. A store never rejects and
 * never throws.
 */
export interface CustodyStore {
  /**
   * Records one use in one atomic step, under every name of the id; the first name is that of the hash key in
   * force. Fields that are not bound yet are bound, unless the use is not the holder's. Null where this
   * failed or its result is not known: custody is then unknown, and never a first use.
   */
  use(names: readonly CustodyName[]): CustodyRecord | null | Promise<CustodyRecord | null>;
  /**
   * Keeps the binding for its full life, or until the telemetry id itself expires (Unix milliseconds, null
   * where unknown) if that is later. Without this call a binding ends soon after its latest use. Nothing
   * shortens a life. Does not wait for a remote store.
   */
  keep(keys: readonly string[], validUntilMs: number | null): void;
}

/** A provider's answer, before it gets a date and a time to live. */
export type ProviderAnswer<Answered extends Signals = Signals> = SettledAnswer<Answered> | FailedAnswer;

/** An answer of a provider that is evidence. */
export interface SettledAnswer<Answered extends Signals = Signals> {
  readonly outcome: SettledOutcome;
  readonly signals: Answered;
  readonly upstreamRequestId: string | null;
  /** Unix milliseconds after which the provider calls the answer void; null where it gives no time. */
  readonly validUntilMs: number | null;
}

/** An answer, or none, that is no evidence. */
export interface FailedAnswer {
  readonly outcome: IndefiniteOutcome;
  readonly upstreamRequestId: string | null;
  /**
   * A short constant for the log that names the failure (`http_503`, `redirect`, `subject_mismatch`). Never
   * text from the provider.
   */
  readonly failure: string;
  readonly isRetryable: boolean;
  /** What a Retry-After header asked for, in milliseconds; null without one. */
  readonly retryAfterMs: number | null;
}

/**
 * One call to a provider, including its retry, for metrics and logs. A call that riskgate did not send has 0
 * attempts: `circuit_open`, or the failures `bulkhead_full` and `queue_timeout`.
 */
export interface ProviderCallEvent {
  readonly provider: string;
  readonly outcome: Evidence['outcome'];
  /** See FailedAnswer; null when the outcome is settled. */
  readonly failure: string | null;
  readonly latencyMs: number;
  readonly attempts: number;
}

/**
 * The circuit of a provider has changed: `open` refuses calls, `half_open` tries one call. It starts
 * `closed`, without an event.
 */
interface CircuitEvent {
  readonly provider: string;
  readonly state: BreakerState;
}

/** A provider has become suspect, or is no longer. */
export interface SuspectEvent {
  readonly provider: string;
  readonly isSuspect: boolean;
  /**
   * `known_ids_not_found`: it no longer finds ids that it knew. `nothing_ever_found`: it has not found any id
   * since the start. `found_again`, `quiet`: why the suspicion ended.
   */
  readonly cause: 'known_ids_not_found' | 'nothing_ever_found' | 'found_again' | 'quiet';
  /** The number of recent calls that were counted, and how many of them were not found. */
  readonly samples: number;
  readonly notFound: number;
}

/** Observes provider calls. It must not throw or block. */
export interface ProviderObserver {
  onProviderCall(event: ProviderCallEvent): void;
  onCircuitChange(event: CircuitEvent): void;
  onSuspectChange(event: SuspectEvent): void;
}

/** A decision as it was answered. */
export interface DecisionEvent {
  readonly decision: Decision;
  /** The id of the API key or of the gateway, never the key. */
  readonly caller: string;
  readonly requestId: string;
  readonly action: string | null;
}

/** Observes every decision that is answered. It must not throw or block. */
export interface DecisionObserver {
  onDecision(event: DecisionEvent): void;
}

/** The number of a request in the current window, from 1, and how long the window still lasts. */
export interface WindowCount {
  readonly count: number;
  readonly leftMs: number;
}

/**
 * Counts the requests of callers in fixed windows. Never rejects: when the shared count cannot be reached,
 * counting goes on in this process.
 */
export interface RequestCounter {
  /**
   * `max` is the limit of the window, and so how exact the numbers must be: no number is given twice, but
   * some may be skipped.
   */
  count(callerId: string, windowMs: number, max: number): WindowCount | Promise<WindowCount>;
}

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
