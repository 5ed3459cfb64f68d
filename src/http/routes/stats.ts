import type { FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { windowBefore } from '../../application/decision-log/plan-window.ts';
import { countWindow, toStatsQuestion } from '../decision-log/count-window.ts';
import type { DecisionReadDependencies } from '../decision-log/decision-reads.ts';
import { sendTagged } from '../decision-log/entity-tag.ts';
import { whileConnected } from '../decision-log/while-connected.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { NOT_MODIFIED, problemResponses, TAG_HEADERS, TAG_REQUEST_HEADERS } from '../schemas/responses.ts';
import { type StatsQuery, statsQuerySchema, statsSchema, toStatsBody } from '../schemas/stats.ts';

/** GET /v1/stats: counts and latencies, from counters where nothing is filtered. */
export const statsRoutes = plugin<RouteGroupOptions<DecisionReadDependencies>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'Counts and latencies of decisions',
      description:
        'Of all decisions of a window, or of those that fit filters; by one group or by two; compared with the window before. Without filters they are counted when decisions are recorded: the answer costs the same whether there were a hundred or a hundred million. Minutes are kept for 24 hours, hours for longer; a history keeps both for as long as its records. Precision of rules comes from the outcomes that were reported.',
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
    app.get('/v1/stats', route, handlerFor(serve, createStats));
  },
  { name: 'stats-routes' },
);

function createStats(dependencies: DecisionReadDependencies) {
  const { reads, version, newId } = dependencies;
  const tagOptions = { reader: reads.log, engine: version, newId };
  return (request: FastifyRequest<{ Querystring: StatsQuery }>, reply: Parameters<typeof sendTagged>[1]) => {
    const question = toStatsQuestion(request.query, dependencies);
    return sendTagged(request, reply, tagOptions, ['stats', question], async () => {
      const asked = { reads, log: reads.logWhile(whileConnected(reply)), question };
      const { counted, version: known } = await countWindow(asked, question.window);
      const previous = question.isCompared
        ? (await countWindow(asked, windowBefore(question.window))).counted
        : null;
      const body = toStatsBody(counted, previous, question.by);
      return known === undefined || previous !== null ? { body } : { body, version: known };
    });
  };
}
