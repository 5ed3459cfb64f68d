import type { IndefiniteOutcome, OtherNames, SettledOutcome, Signals } from '../../domain/evidence.ts';

/** A provider's answer, before it gets a date and a time to live. */
export type ProviderAnswer<Answered extends Signals = Signals> = SettledAnswer<Answered> | FailedAnswer;

/** An answer of a provider that is evidence. */
export interface SettledAnswer<Answered extends Signals = Signals> {
  readonly outcome: SettledOutcome;
  readonly signals: Answered;
  readonly upstreamRequestId: string | null;
  /** Unix milliseconds after which the provider calls the answer void; null where it gives no time. */
  readonly validUntilMs: number | null;
  /** See Evidence. */
  readonly otherNames?: OtherNames;
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
