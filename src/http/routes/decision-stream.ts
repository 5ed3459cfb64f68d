import type { FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { DecisionReadDependencies } from '../decision-log/decision-reads.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toRecordFilter } from '../schemas/decision-filter.ts';
import {
  type StreamQuery,
  streamEventSchemas,
  streamHeadersSchema,
  streamQuerySchema,
} from '../schemas/decision-stream.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';
import { SUMMARY_ID } from './decisions.ts';

/** The `data` of each event. */
const EVENT_SCHEMA = {
  anyOf: [
    { $ref: `${SUMMARY_ID}#` },
    ...Object.entries(streamEventSchemas).map(([title, schema]) => ({
      title,
      ...toJsonSchema(schema, 'output'),
    })),
  ],
};

interface StreamRoute {
  Querystring: StreamQuery;
  Headers: { 'last-event-id'?: string };
}

/** GET /v1/decisions/stream: server-sent events. */
export const decisionStreamRoutes = plugin<RouteGroupOptions<Pick<DecisionReadDependencies, 'reads'>>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'Decisions as they are made',
      description:
        'Server-sent events: `ready` first, then each `decision` that fits the filters, made by any replica; `list_changed`, `candidate_changed`, `policy_changed`, `promotion_changed`, `subject_forgotten`, `shared_signal` and `decision.superseded`, whatever the filters; a `gap` where some are missing, a `heartbeat` at least every 15 seconds, and `end` before this side closes. Come back with `Last-Event-ID` to go on without gaps or duplicates. A client that reads too slowly is told so (`end`, `slow_reader`) and closed. A stream takes one of the concurrent requests of its API key.',
      operationId: 'streamDecisions',
      tags: ['decisions'],
      querystring: toJsonSchema(streamQuerySchema, 'input'),
      headers: toJsonSchema(streamHeadersSchema, 'input'),
      response: {
        200: {
          description: 'Events. The schema is that of their `data`, which is JSON.',
          headers: REQUEST_ID_HEADER,
          content: { 'text/event-stream': { schema: EVENT_SCHEMA } },
        },
        ...problemResponses(400, 401, 403, 429, 500, 503),
      },
    };
    const route = {
      schema,
      config: { scope: 'read' as const, readsLog: 'at length' as const },
      exposeHeadRoute: false,
    };
    app.get(
      '/v1/decisions/stream',
      route,
      handlerFor(serve, ({ reads }) => async (request: FastifyRequest<StreamRoute>, reply) => {
        const filter = toRecordFilter(request.query, reads.hashes);
        const after = request.headers['last-event-id'] || null;
        const isAllowed = () => app.isStillAllowed(request);
        await reads.streams.open({ reply, filter, after, isAllowed });
        return reply;
      }),
    );
  },
  { name: 'decision-stream-routes', dependencies: ['decisions-routes'] },
);
