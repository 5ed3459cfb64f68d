import type { FastifyInstance, FastifyReply } from 'fastify';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** What a scrape reads. */
interface MetricsSource {
  readonly contentType: string;
  text(): string;
}

/** What the route shows. */
export interface MetricsRouteOptions {
  /** Null where metrics are switched off: then there is no such route. */
  readonly metrics: MetricsSource | null;
  /** Those that name callers; null likewise. */
  readonly callerMetrics: MetricsSource | null;
}

const TEXT_RESPONSE = {
  description: 'The metrics.',
  headers: REQUEST_ID_HEADER,
  content: { 'text/plain': { schema: { type: 'string' } } },
};

/** GET /metrics: open to everyone who can reach the port, as health is. No label holds an identifier or the name of a caller. */
export function registerMetricsRoute(
  app: FastifyInstance,
  { metrics }: Pick<MetricsRouteOptions, 'metrics'>,
): void {
  if (metrics === null) return;
  const schema = {
    summary: 'Metrics for Prometheus',
    description:
      'The Prometheus text format 0.0.4. Needs no API key, so a gateway in front must not route it; `METRICS=off` removes it.',
    operationId: 'metrics',
    tags: ['health'],
    security: [],
    response: {
      200: TEXT_RESPONSE,
      ...problemResponses(400),
    },
  };
  app.get('/metrics', { schema }, (_request, reply) => sendMetrics(reply, metrics));
}

/** GET /v1/metrics, for callers with the scope `read`: what names callers, and nothing that /metrics has. */
export function registerCallerMetricsRoute(
  app: FastifyInstance,
  { callerMetrics }: Pick<MetricsRouteOptions, 'callerMetrics'>,
): void {
  if (callerMetrics === null) return;
  const schema = {
    summary: 'Metrics that name callers, for Prometheus',
    description:
      'When each API key was last used, in the Prometheus text format 0.0.4. `METRICS=off` removes it.',
    operationId: 'callerMetrics',
    tags: ['health'],
    response: { 200: TEXT_RESPONSE, ...problemResponses(400, 401, 403, 429, 500, 503) },
  };
  app.get('/v1/metrics', { schema, config: { scope: 'read' } }, (_request, reply) =>
    sendMetrics(reply, callerMetrics),
  );
}

function sendMetrics(reply: FastifyReply, metrics: MetricsSource): FastifyReply {
  return reply.type(metrics.contentType).header('cache-control', 'no-store').send(metrics.text());
}
