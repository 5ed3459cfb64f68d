import type { Verdict } from '../domain/verdict.ts';

/**
 * Header fields by lower-case name, each with its values as they came: two fields of one name are two values.
 */
export type GatewayHeaders = Readonly<Record<string, readonly string[] | undefined>>;

/** A gateway's own request to riskgate. */
interface GatewayRequest {
  readonly method: string;
  /** The rest of the raw path after the profile, including the query; empty where nothing follows. */
  readonly rest: string;
  readonly headers: GatewayHeaders;
}

/** The end user's request that a gateway asks about, as the gateway describes it. */
export interface OriginalRequest {
  readonly method: string;
  /** Path and query, undecoded. */
  readonly target: string;
  /** Null where the dialect does not tell. */
  readonly host: string | null;
  readonly headers: GatewayHeaders;
  /**
   * The address of the end user by the protocol itself, not by a header; absent or null where the protocol
   * does not tell.
   */
  readonly address?: string | null;
}

/** `UNAVAILABLE`: there is no decision. */
type GatewayDecision = Verdict | 'UNAVAILABLE';

/**
 * What the gateway must do: let the request in, ask for a step-up, refuse it, redirect the user, or handle
 * that there is no decision.
 */
export type Effect =
  | { readonly kind: 'allow' | 'challenge' | 'forbid' | 'refuse' }
  | { readonly kind: 'redirect'; readonly url: string };

/** How long a gateway may cache an ALLOW, and what the answer depends on. */
export interface Caching {
  readonly maxAgeSeconds: number;
  /** The header fields that the decision depends on. */
  readonly vary: readonly string[];
  /** It also depends on the query of the original request. */
  readonly readsTarget: boolean;
}

/**
 * The answer to one question, before a dialect encodes it. Safe to show to gateways: it holds no identifier.
 */
export interface GatewayResult {
  readonly decision: GatewayDecision;
  /** Null without a decision: an exempt request, a refusal, an outage of riskgate. */
  readonly decisionId: string | null;
  /** Reason codes, strictest first. */
  readonly reasons: readonly string[];
  readonly effect: Effect;
  /** Null does not allow caching. */
  readonly caching: Caching | null;
  /** Null where a retry is no use. */
  readonly retryAfterSeconds: number | null;
  /** What the step-up must achieve (RFC 9470), or null. */
  readonly acrValues: string | null;
  /** How old it may be, or null where that does not matter. */
  readonly maxAgeSeconds: number | null;
}

/** An answer as it goes over the wire. No header is empty. */
export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The header fields in which a gateway describes the original request, as it spells them. */
export interface OriginalHeaders {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Null where the dialect does not tell. */
  readonly host: string | null;
}

/**
 * One family of gateways with the same protocol: two pure functions. To add one, write a folder and a line in
 * registry.ts.
 */
export interface GatewayDialect {
  /** Its name in the path, lower case and dashes. */
  readonly id: string;
  /** Null where the gateway's request is the original one, its path after the profile. */
  readonly originalHeaders: OriginalHeaders | null;
  /**
   * The original request, read from this dialect's own headers and no others; null when they are missing,
   * repeated or malformed.
   */
  toOriginal(request: GatewayRequest): OriginalRequest | null;
  toAnswer(result: GatewayResult): GatewayAnswer;
}
