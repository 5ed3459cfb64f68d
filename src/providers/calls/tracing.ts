import type { StoreReading } from '../../application/evidence/evidence-store.ts';
import type { Span } from '../../application/tracer.ts';
import type { HttpRequest } from '../../platform/http-client.ts';

/** Reads the store as a span of its own. */
export function traceRead(
  provider: string,
  span: Span,
  read: () => StoreReading | Promise<StoreReading>,
): StoreReading | Promise<StoreReading> {
  const step = span.child('cache.read', 'internal');
  const note = (reading: StoreReading): StoreReading => {
    const level = reading !== null && 'evidence' in reading ? reading.level : 'none';
    step.end({ 'riskgate.provider': provider, 'riskgate.cache.level': level });
    return reading;
  };
  const found = read();
  return found instanceof Promise ? found.then(note) : note(found);
}

/**
 * The request as a step of the trace, where there is one. Only `traceparent` goes out: a caller's
 * `tracestate` is not sent to providers.
 */
export function withTraceparent(request: HttpRequest, span: Span | null): HttpRequest {
  if (span === null) return request;
  return { ...request, headers: { ...request.headers, traceparent: span.traceparent } };
}
