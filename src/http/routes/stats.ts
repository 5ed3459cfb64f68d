import type { FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { planWindow } from '../../application/decision-log/plan-window.ts';
import { summariseCounts } from '../../application/decision-log/summarise-counts.ts';
import { RiskgateError } from '../../domain/errors.ts';
import type { DecisionReadDependencies } from '../decision-log/decision-reads.ts';
import { sendTagged } from '../decision-log/entity-tag.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { NOT_MODIFIED, problemResponses, TAG_HEADERS, TAG_REQUEST_HEADERS } from '../schemas/responses.ts';
import {
  type StatsQuery,
  statsQuerySchema,
  statsSchema,
  toDurationMs,
  toStatsBody,
} from '../schemas/stats.ts';

/** GET /v1/stats: counts and latencies from the counters, whatever the log holds. */
export const statsRoutes = plugin<RouteGroupOptions<DecisionReadDependencies>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'Counts and latencies of decisions',
      description:
        'Counted when decisions are recorded: the answer costs the same whether there were a hundred or a hundred million. Minutes are kept for 24 hours, hours for longer. Precision of rules comes from the outcomes that were reported.',
      operationId: 'getStats',
      tags: ['decisions'],
      querystring: toJsonSchema(statsQuerySchema, 'input'),
      headers: TAG_REQUEST_HEADERS,
      response: {
        200: { description: 'The counts.', headers: TAG_HEADERS, ...toJsonSchema(statsSchema, 'output') },
        304: NOT_MODIFIED,
        ...problemResponses(400, 401, 403, 429, 500, 503),
      },
    };
    const route = { schema, config: { scope: 'read' as const, readsLog: 'briefly' as const } };
    app.get(
      '/v1/stats',
      route,
      handlerFor(
        serve,
        ({ reads, clock, version, newId }) =>
          (request: FastifyRequest<{ Querystring: StatsQuery }>, reply) => {
            const { window = '1h', step, group_by: group = 'decision' } = request.query;
            const planned = planWindow(
              toDurationMs(window),
              step === undefined ? null : toDurationMs(step),
              clock.nowMs(),
            );
            if (!planned.ok) {
              const fields = planned.mistakes.map(({ field, detail }) => ({ pointer: field, detail }));
              throw new RiskgateError('invalid_request', 'A window that cannot be counted.', { fields });
            }
            const tagOptions = { reader: reads.log, engine: version, newId };
            const { value } = planned;
            return sendTagged(request, reply, tagOptions, ['stats', value, group], async () => {
              const counted = await reads.countSteps(value);
              const body = toStatsBody(value, group, summariseCounts(counted, value, group));
              return { body, version: counted.version };
            });
          },
      ),
    );
  },
  { name: 'stats-routes' },
);
