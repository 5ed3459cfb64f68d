/**
 * Outcomes that settle what the provider knows about the subject. Only these are cached, and only `skipped`
 * carries no signals.
 */
export const DEFINITE_OUTCOMES = ['ok', 'not_found', 'unsupported', 'skipped'] as const;

/**
 * Outcomes that leave the question open: the provider's signals are missing evidence, and missing evidence is
 * never clean.
 */
export const INDEFINITE_OUTCOMES = [
  'timeout',
  'unavailable',
  'rate_limited',
  'unauthorized',
  'invalid_request',
  'malformed',
  'circuit_open',
] as const;

/** Every way in which a provider call can end. */
export const OUTCOMES = [...DEFINITE_OUTCOMES, ...INDEFINITE_OUTCOMES] as const;

const DEFINITE: ReadonlySet<unknown> = new Set(DEFINITE_OUTCOMES);

type DefiniteOutcome = (typeof DEFINITE_OUTCOMES)[number];

/** An outcome that says nothing about the subject. */
export type IndefiniteOutcome = (typeof INDEFINITE_OUTCOMES)[number];

/** How one provider call ended. */
export type Outcome = DefiniteOutcome | IndefiniteOutcome;

/** Outcomes that carry signals. */
export type SettledOutcome = Exclude<DefiniteOutcome, 'skipped'>;

/** A value that a policy can read. Numbers are finite; absence is the absence of the key, never null. */
export type SignalValue =
  | boolean
  | number
  | string
  | readonly string[]
  | { readonly [name: string]: SignalValue | undefined };

/**
 * The most items of a list in the signals of a provider; an answer with a longer one is refused on arrival.
 */
export const SIGNAL_ITEMS_MAX = 64;

/**
 * A provider's answer, normalised and free of raw identifiers. `found: false` says that the provider does not
 * know the id.
 */
export interface Signals {
  readonly found: boolean;
  readonly [name: string]: SignalValue | undefined;
}

/**
 * The unit of caching: what one provider said about one id, and when. Safe to store: it holds no raw
 * identifier.
 */
export interface Evidence {
  readonly provider: string;
  readonly outcome: Outcome;
  /** Present exactly when the outcome is `ok`, `not_found` or `unsupported`. */
  readonly signals: Signals | null;
  /** Unix milliseconds at which the provider's answer was complete. */
  readonly observedAtMs: number;
  /**
   * Unix milliseconds after which this evidence must not be used; null where expiry means nothing
   * (`skipped`).
   */
  readonly expiresAtMs: number | null;
  /** The provider's own id of the call, for its support desk. */
  readonly upstreamRequestId: string | null;
  /** Absent where only one hash key was known to whoever asked. */
  readonly otherNames?: OtherNames;
}

/**
 * What those identifiers of an answer by which subjects are remembered are called under other hash keys: for the
 * hash in the signals, the hash under each other key, by the id of that key. No policy and no record has it.
 */
export type OtherNames = { readonly [hash: string]: { readonly [keyId: string]: string } };

/**
 * Where evidence came from: a cache level, a call for this request (`miss`), a call shared with a concurrent
 * request, or no call at all.
 */
export type EvidenceOrigin = CacheLevel | Exclude<CacheResult, 'hit'>;

/** The levels of the evidence cache. */
export const CACHE_LEVELS = ['memory', 'redis'] as const;
type CacheLevel = (typeof CACHE_LEVELS)[number];

/** What the cache was for a piece of evidence, as callers and readers are told. */
export const CACHE_RESULTS = ['hit', 'miss', 'shared', 'none'] as const;
type CacheResult = (typeof CACHE_RESULTS)[number];

/** `hit` for evidence of either cache level. */
export function cacheOf(origin: EvidenceOrigin): CacheResult {
  return origin === 'memory' || origin === 'redis' ? 'hit' : origin;
}

/** The cache level that evidence came from; null where it came from none. */
export function cacheLevelOf(origin: EvidenceOrigin): CacheLevel | null {
  return origin === 'memory' || origin === 'redis' ? origin : null;
}

/** True for `ok`, `not_found`, `unsupported` and `skipped`. */
export function isDefinite(outcome: Outcome): outcome is DefiniteOutcome {
  return DEFINITE.has(outcome);
}
