import type { Verdict } from '../domain/verdict.ts';

/** Header fields by lower-case name, each with its values as they came: two fields of one name are two values. */
export type GatewayHeaders = Readonly<Record<string, readonly string[] | undefined>>;

/** A gateway's own request to riskgate. */
interface GatewayRequest {
  readonly method: string;
  /** What follows the profile in the raw path, query included; empty where nothing does. */
  readonly rest: string;
  readonly headers: GatewayHeaders;
}

/** The end user's request that a gateway asks about, as that gateway tells it. */
export interface OriginalRequest {
  readonly method: string;
  /** Path and query, undecoded. */
  readonly target: string;
  /** Null where the dialect does not say. */
  readonly host: string | null;
  readonly headers: GatewayHeaders;
  /** Where it came from, as the protocol and no header says; absent or null where it does not. */
  readonly address?: string | null;
}

/** `UNAVAILABLE`: there is no decision. */
type GatewayDecision = Verdict | 'UNAVAILABLE';

/** What the gateway is to do: let the request in, ask for a step-up, refuse it, send the user elsewhere, or know that nothing was decided. */
export type Effect =
  | { readonly kind: 'allow' | 'challenge' | 'forbid' | 'refuse' }
  | { readonly kind: 'redirect'; readonly url: string };

/** How long and on what a gateway may keep an ALLOW. */
export interface Caching {
  readonly maxAgeSeconds: number;
  /** The header fields that the decision was made of. */
  readonly vary: readonly string[];
  /** It was also made of the query of the original request. */
  readonly readsTarget: boolean;
}

/** What came of one question, before a dialect spells it. Fit to be shown to gateways: it holds no identifier. */
export interface GatewayOutcome {
  readonly decision: GatewayDecision;
  /** Null where nothing was decided: an exempt request, a refusal, an outage of ours. */
  readonly decisionId: string | null;
  /** Reason codes, strictest first. */
  readonly reasons: readonly string[];
  readonly effect: Effect;
  /** Null is not at all. */
  readonly caching: Caching | null;
  /** Null where trying again is no use. */
  readonly retryAfterSeconds: number | null;
  /** What the step-up has to reach (RFC 9470), or null. */
  readonly acrValues: string | null;
}

/** An answer as it goes over the wire. No header is empty. */
export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One family of gateways that speak alike: two pure functions. To add one, write a folder and a line in registry.ts. */
export interface GatewayDialect {
  /** Its name in the path, lower case and dashes. */
  readonly id: string;
  /** The original request, read from this dialect's own headers and no others; null when they are missing, repeated or malformed. */
  toOriginal(request: GatewayRequest): OriginalRequest | null;
  toAnswer(outcome: GatewayOutcome): GatewayAnswer;
}
