import type { EvidenceStore, StoredEvidence } from '../application/ports.ts';
import type { Span } from '../application/tracer.ts';
import type { HttpRequest } from '../platform/http-client.ts';

/** Reads the store, as a span of its own where there is a trace. */
export function readTraced(
  store: EvidenceStore,
  key: string,
  provider: string,
  span: Span | null | undefined,
): StoredEvidence | null | Promise<StoredEvidence | null> {
  if (!span) return store.get(key);
  const step = span.child('cache.read', 'internal');
  const found = store.get(key);
  const note = (stored: StoredEvidence | null): StoredEvidence | null => {
    const level = stored?.level ?? 'none';
    step.end({ 'riskgate.provider': provider, 'riskgate.cache.level': level });
    return stored;
  };
  return found instanceof Promise ? found.then(note) : note(found);
}

/** The request as a step of the trace, where there is one. Only `traceparent` goes out: a caller's `tracestate` is not the providers' concern. */
export function withTraceparent(request: HttpRequest, span: Span | null): HttpRequest {
  if (span === null) return request;
  return { ...request, headers: { ...request.headers, traceparent: span.traceparent } };
}
