import type { Evidence, EvidenceOrigin, Signals } from '../../domain/evidence.ts';
import type { Subject, SubjectPart } from '../../domain/subject.ts';
import type { SubjectPlace } from '../../domain/subject-place.ts';
import type { Span } from '../tracer.ts';

/** What one provider is asked: the id, and values that may be passed on to it. */
export interface ProviderQuery {
  readonly id: string;
  readonly accountId?: string | undefined;
  readonly action?: string | undefined;
}

/** Where a request came from, as its caller told. What is absent or cannot be read has no key. */
export type RequestOrigin = Pick<Subject, 'ip' | 'userAgent'>;

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
  /**
   * The signals as a policy reads them at `nowMs` for this request: the stored ones with their ages added, and
   * with what comparing them with the request gives.
   */
  present(signals: Signals, nowMs: number, origin: RequestOrigin): Signals;
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
  /** The keyed hash of the user's visitor fingerprint, by its signals; null where they do not tell. */
  visitorOf(signals: Signals): string | null;
  /** Where the request came from, by its signals. */
  placeOf(signals: Signals): SubjectPlace;
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
