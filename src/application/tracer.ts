import type { Decision } from '../domain/decision.ts';
import { cacheLevelOf, cacheOf } from '../domain/evidence.ts';

/** Never an identifier: outcomes, cache results, decisions, reason codes, hashes of policies. */
type SpanAttributes = Readonly<Record<string, string | number | boolean | string[]>>;

/** One timed step of a trace. `client` is a call to another service. */
export interface Span {
  /** The header (W3C Trace Context) that makes its receiver a child of this span. */
  readonly traceparent: string;
  child(name: string, kind: 'internal' | 'client'): Span;
  /** Ends the span, once. It is exported some time later, or lost; nothing waits for it. */
  end(attributes: SpanAttributes, hasFailed?: boolean): void;
}

/** Starts traces. Where tracing is off there is no tracer and no span, which costs a comparison with null. */
export interface Tracer {
  /**
   * A span of a request, in the caller's trace if its `traceparent` header is well-formed, else in a new one.
   */
  start(name: string, traceparent: string | undefined): Span;
}

/** The attributes of a decision in a trace. */
export function toDecisionAttributes({ verdict, degraded, reasons, evidence }: Decision): SpanAttributes {
  const attributes: Record<string, string | boolean | string[]> = {
    'riskgate.decision': verdict,
    'riskgate.degraded': degraded,
    'riskgate.reason_codes': reasons.map(({ code }) => code),
  };
  for (const { provider, outcome, origin } of evidence) {
    attributes[`riskgate.${provider}.outcome`] = outcome;
    attributes[`riskgate.${provider}.cache`] = cacheOf(origin);
    const level = cacheLevelOf(origin);
    if (level !== null) attributes[`riskgate.${provider}.cache_level`] = level;
  }
  return attributes;
}
