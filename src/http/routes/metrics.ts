import type { FastifyReply } from 'fastify';
import plugin from 'fastify-plugin';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** What a scrape reads. */
export interface MetricsSource {
  readonly contentType: string;
  text(): string;
}

const TEXT_RESPONSE = {
  description: 'The metrics.',
  headers: REQUEST_ID_HEADER,
  content: { 'text/plain': { schema: { type: 'string' } } },
};

/**
 * GET /metrics: open to everyone who can reach the port, as health is. No label holds an identifier or the
 * name of a caller.
 */
export const metricsRoutes = plugin<RouteGroupOptions<MetricsSource>>(
  async (app, { serve }) => {
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
    app.get(
      '/metrics',
      { schema },
      handlerFor(serve, (metrics) => (_request, reply) => sendMetrics(reply, metrics)),
    );
  },
  { name: 'metrics-routes' },
);

/** GET /v1/metrics, for callers with the scope `read`: what names callers, and nothing that /metrics has. */
export const callerMetricsRoutes = plugin<RouteGroupOptions<MetricsSource>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'Metrics that name callers, for Prometheus',
      description:
        'When each API key was last used, in the Prometheus text format 0.0.4. `METRICS=off` removes it.',
      operationId: 'callerMetrics',
      tags: ['health'],
      response: { 200: TEXT_RESPONSE, ...problemResponses(400, 401, 403, 429, 500, 503) },
    };
    app.get(
      '/v1/metrics',
      { schema, config: { scope: 'read' } },
      handlerFor(serve, (metrics) => (_request, reply) => sendMetrics(reply, metrics)),
    );
  },
  { name: 'caller-metrics-routes' },
);

function sendMetrics(reply: FastifyReply, metrics: MetricsSource): FastifyReply {
  return reply.type(metrics.contentType).header('cache-control', 'no-store').send(metrics.text());
}
