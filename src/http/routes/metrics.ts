import type { FastifyInstance } from 'fastify';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** What a scrape reads. */
export interface MetricsSource {
  readonly contentType: string;
  text(): string;
}

export interface MetricsRouteOptions {
  /** Null where metrics are switched off: then there is no such route. */
  readonly metrics: MetricsSource | null;
}

/** GET /metrics: open to everyone who can reach the port, as health is. No label holds an identifier or the name of a caller. */
export function registerMetricsRoute(app: FastifyInstance, { metrics }: MetricsRouteOptions): void {
  if (metrics === null) return;
  const schema = {
    summary: 'Metrics for Prometheus',
    description:
      'The Prometheus text format 0.0.4. Needs no API key, so a gateway in front must not route it; `METRICS=off` removes it.',
    operationId: 'metrics',
    tags: ['health'],
    security: [],
    response: {
      200: {
        description: 'The metrics.',
        headers: REQUEST_ID_HEADER,
        content: { 'text/plain': { schema: { type: 'string' } } },
      },
      ...problemResponses(400),
    },
  };
  app.get('/metrics', { schema }, async (_request, reply) =>
    reply.type(metrics.contentType).header('cache-control', 'no-store').send(metrics.text()),
  );
}
