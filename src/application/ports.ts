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

/** What one provider is asked about, beside the id: values that may be passed on to it. */
export interface ProviderQuery {
  readonly id: string;
  readonly accountId?: string | undefined;
  readonly action?: string | undefined;
}

/** Limits one caller sets on one look. */
export interface LookLimits {
  /** Evidence older than this is not used; null accepts any that has not expired. */
  readonly maxAgeMs: number | null;
  /** Monotonic milliseconds at which the caller is answered; absent where nobody waits so long. */
  readonly deadlineAtMs?: number;
  /** The trace that the look is a part of; absent where nothing is traced. */
  readonly span?: Span | null;
  /** Who asks, and the end user's address: for statistics in this process only, and never sent anywhere. */
  readonly caller?: string | undefined;
  readonly ip?: string | undefined;
}

/** Evidence and how it was come by. */
export interface LookResult {
  readonly evidence: Evidence;
  readonly origin: EvidenceOrigin;
}

/**
 * One enabled provider as the use cases see it. `look` never rejects: every failure is an outcome. It answers
 * in place when the evidence is at hand, so that a warm decision costs no turn of the event loop.
 */
export interface EvidenceSource {
  readonly id: string;
  readonly subject: SubjectPart;
  look(query: ProviderQuery, limits: LookLimits): LookResult | Promise<LookResult>;
  /** The signals as a policy reads them at `nowMs`: the stored ones with their ages added. */
  present(signals: Signals, nowMs: number): Signals;
  /**
   * When the subject's id itself expires, Unix milliseconds, as its signals say; null where the provider says
   * nothing of it.
   */
  subjectExpiresAtMs(signals: Signals): number | null;
  /** When the subject's id came to be, Unix milliseconds, likewise. */
  subjectCreatedAtMs(signals: Signals): number | null;
  /** The signals of an id that the provider does not know, or that is missing. */
  readonly notFoundSignals: Signals;
  /** The store key for an id: keyed hashes only. */
  keyOf(id: string): string;
  /**
   * Where replicas that write under another hash key which is known here keep it; a purge reaches these too.
   */
  olderKeysOf(id: string): readonly string[];
  /**
   * True while `not_found` of this provider is in doubt: it has come to know nobody, which is most likely our
   * own wrong URL, key or environment.
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
   * As `get`; and where there is nothing, claims in the same step the right to ask upstream, for `claimMs` at
   * most (0 claims nothing). Null tells the caller to ask, whether or not the claim could be had: only a
   * claim of another replica is reason to wait. Once asked, call `set` or `release`, which end this replica's
   * claim.
   */
  getOrClaim(key: string, claimMs: number): StoreReading | Promise<StoreReading>;
  /**
   * Keeps evidence until its `expiresAtMs`; where that is null or past, only releases the key. Does not wait
   * for a remote level.
   */
  set(key: string, evidence: Evidence): void;
  /**
   * Gives up this replica's claim, if it has one, so that nobody waits for what will not come. Does not wait
   * for a remote level.
   */
  release(key: string): void;
  /**
   * Removes keys everywhere this store reaches, other replicas included. Resolves false when some level could
   * not be reached, and the purge may thus be incomplete.
   */
  purge(keys: readonly string[]): Promise<boolean>;
  /**
   * Calls back with keys that were purged, here or on another replica, so that calls in flight for them can
   * be disowned.
   */
  onPurge(listener: (keys: readonly string[]) => void): void;
}

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

export type StoreReading = StoredEvidence | ForeignClaim | null;

/** A telemetry id and who uses it, as one hash key names them. */
export interface CustodyName {
  readonly key: string;
  readonly claim: CustodyClaim;
}

/**
 * Where telemetry ids are bound to who used them first. Keys and claims hold keyed hashes only. A store never
 * rejects and never throws.
 */
export interface CustodyStore {
  /**
   * Records one use in one atomic step under every name of the id, the first of the hash key in force, and
   * binds what is not bound yet unless the use is another's. Null where that could not be done or not be
   * known: custody is then unknown, and never a first use.
   */
  use(names: readonly CustodyName[]): CustodyRecord | null | Promise<CustodyRecord | null>;
  /**
   * Keeps the binding for its full life, and until the telemetry id itself expires (Unix milliseconds, null
   * where that is not known) if that is later. One that nobody asks this for ends soon after its latest use.
   * Nothing ever shortens a life. Does not wait for a remote store.
   */
  keep(keys: readonly string[], validUntilMs: number | null): void;
}

/** What a provider said, before it is dated and given a time to live. */
export type ProviderAnswer = SettledAnswer | FailedAnswer;

export interface SettledAnswer {
  readonly outcome: SettledOutcome;
  readonly signals: Signals;
  readonly upstreamRequestId: string | null;
  /** Unix milliseconds after which the provider itself says the answer is void; null when it does not say. */
  readonly validUntilMs: number | null;
}

export interface FailedAnswer {
  readonly outcome: IndefiniteOutcome;
  readonly upstreamRequestId: string | null;
  /**
   * A short constant for the log that says what went wrong (`http_503`, `redirect`, `subject_mismatch`).
   * Never text from the provider.
   */
  readonly failure: string;
  readonly isRetryable: boolean;
  /** What a Retry-After header asked for, in milliseconds; null without one. */
  readonly retryAfterMs: number | null;
}

/**
 * One call to a provider, its retry included, as metrics and logs see it. A call that was refused here has 0
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
 * The circuit of a provider has changed: `open` refuses calls, `half_open` has one under way to find out. It
 * begins `closed`, of which there is no event.
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
   * `known_ids_not_found`: ids that it knew are gone. `nothing_ever_found`: it has known nobody since the
   * start. `found_again`, `quiet`: why the suspicion ended.
   */
  readonly cause: 'known_ids_not_found' | 'nothing_ever_found' | 'found_again' | 'quiet';
  /** The latest calls that were counted, and how many of them were not found. */
  readonly samples: number;
  readonly notFound: number;
}

/** Told of what happens, and never a reason for anything to fail or wait. */
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

/** Told of every decision that is answered, and never a reason for the answer to fail or wait. */
export interface DecisionObserver {
  onDecision(event: DecisionEvent): void;
}

/** The place of a request in the present window, from 1, and how long the window still lasts. */
export interface WindowCount {
  readonly count: number;
  readonly leftMs: number;
}

/**
 * Counts the requests of callers in fixed windows. Never rejects: a shared count that is lost goes on in this
 * process.
 */
export interface RequestCounter {
  /**
   * `max` is what the window allows, and says how exact the places have to be: none is given twice, but some
   * may be left out.
   */
  count(callerId: string, windowMs: number, max: number): WindowCount | Promise<WindowCount>;
}

/** A decision that is kept for the retries of its request. `body` is as it was sent. */
export interface StoredAnswer {
  readonly decisionId: string;
  readonly body: string;
}

/**
 * What a key stands for at the moment of asking. `unavailable`: the store cannot say, so the request has no
 * protection against being done twice.
 */
export type Claim =
  | { readonly kind: 'claimed' | 'in_flight' | 'mismatch' | 'unavailable' }
  | { readonly kind: 'stored'; readonly answer: StoredAnswer };

/**
 * One request that wants to be done once. `key` and `fingerprint` are keyed hashes; `owner` names this
 * attempt alone.
 */
export interface ClaimedRequest {
  readonly key: string;
  readonly fingerprint: string;
  readonly owner: string;
}

/**
 * Keeps answers by idempotency key. Never rejects and never throws: what it cannot keep or find is
 * `unavailable`, or lost.
 */
export interface IdempotencyStore {
  /** Claims the key for `lockMs` at most, unless another request holds it or its answer is kept. */
  claim(request: ClaimedRequest, lockMs: number): Claim | Promise<Claim>;
  /**
   * Keeps the answer for `ttlMs` in place of the claim of the same owner, or where nothing stands; leaves
   * anything else alone. Does not wait for a remote store.
   */
  keep(request: ClaimedRequest, answer: StoredAnswer, ttlMs: number): void;
  /** Gives the claim of the same owner up, so that a retry is done anew. */
  release(request: ClaimedRequest): void;
}
