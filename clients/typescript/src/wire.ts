import type { components } from './api.ts';
import type { RiskgateFailure } from './failure.ts';

type Schemas = components['schemas'];

/** A decision as the service answers it. */
export type Decision = Schemas['Decision'];

/** What a decision is about. Every field is optional; a missing id is the same as an unknown one. */
export type Subject = Omit<Schemas['DecideRequest'], 'max_age_ms' | 'deadline_ms'>;

/** `CHALLENGE` is BLOCK until your own step-up is completed. */
export type Verdict = 'ALLOW' | 'CHALLENGE' | 'BLOCK';

/** What a decision turned out to be. */
export type Outcome = Schemas['ReportOutcomeRequest'];

/** What happened outside decisions. */
export type RiskEvent = Schemas['ReportEventsRequest']['events'][number];

/** What to do, and why. Exactly one of `decision` and `failure` is null. */
export interface Answer {
  /** CHALLENGE whenever there is no decision. */
  readonly verdict: Verdict;
  readonly decision: Decision | null;
  readonly failure: RiskgateFailure | null;
}

/** How the client finds and asks the service. */
export interface ClientOptions {
  /** Where the service is, such as `http://riskgate:8080`; a path before `/v1` is kept. */
  readonly url: string;
  /** An API key of the scope `decide`. */
  readonly apiKey: string;
  /** Milliseconds for a call with all its retries; 1500 unless given. Longer than `DECISION_DEADLINE_MS`. */
  readonly timeoutMs?: number;
  /** The most attempts of one call; 3 unless given. */
  readonly attempts?: number;
  /** The `traceparent` (W3C) of what is under way, asked for each call. */
  readonly traceparent?: () => string | undefined;
  /** True takes answers to test ids for decisions. Only for rehearsals: a user could send a test id. */
  readonly acceptTestAnswers?: boolean;
  /** Instead of the platform's own. */
  readonly fetch?: typeof fetch;
}

/** What one call may change. */
export interface CallOptions {
  readonly timeoutMs?: number;
  /** Use no cached evidence older than this; 0 asks every provider again. */
  readonly maxAgeMs?: number;
  /** One for each attempt of a user; a new one unless given. Give the same to ask again for the same answer. */
  readonly idempotencyKey?: string;
  readonly traceparent?: string;
  /** Ends the call early; what it then comes to is a failure. */
  readonly signal?: AbortSignal;
}
