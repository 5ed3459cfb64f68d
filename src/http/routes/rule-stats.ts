import type { FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { ruleStatistics } from '../../application/decision-log/rule-statistics.ts';
import { rulesSince } from '../../application/decision-log/rules-since.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { countWindow, toStatsQuestion } from '../decision-log/count-window.ts';
import type { DecisionReadDependencies } from '../decision-log/decision-reads.ts';
import { sendTagged } from '../decision-log/entity-tag.ts';
import { whileConnected } from '../decision-log/while-connected.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { NOT_MODIFIED, problemResponses, TAG_HEADERS, TAG_REQUEST_HEADERS } from '../schemas/responses.ts';
import {
  type RuleStatsQuery,
  ruleStatsAnswerSchema,
  ruleStatsQuerySchema,
  toRuleStatsBody,
} from '../schemas/rule-stats.ts';

/** GET /v1/stats/rules: how often each rule applied, and how right it was. */
export const ruleStatsRoutes = plugin<RouteGroupOptions<DecisionReadDependencies>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'How each rule does',
      description:
        'Of each rule: how often it was true, unknown and decisive, and by the outcomes that were reported, how precise it is, how much it finds, and how many pass its challenges, each with the number of decisions that tell it and an interval. It costs two questions of `GET /v1/stats` by two groups.',
      operationId: 'getRuleStats',
      tags: ['decisions'],
      querystring: toJsonSchema(ruleStatsQuerySchema, 'input'),
      headers: TAG_REQUEST_HEADERS,
      response: {
        200: {
          description: 'The rules.',
          headers: TAG_HEADERS,
          ...toJsonSchema(ruleStatsAnswerSchema, 'output'),
        },
        304: NOT_MODIFIED,
        ...problemResponses(400, 401, 403, 429, 500, 503),
      },
    };
    const route = { schema, config: { scope: 'read' as const, readsLog: 'briefly' as const } };
    app.get('/v1/stats/rules', route, handlerFor(serve, createRuleStats));
  },
  { name: 'rule-stats-routes' },
);

function createRuleStats(dependencies: DecisionReadDependencies) {
  const { reads, version, newId, policyHistory } = dependencies;
  const { policies } = reads;
  const tagOptions = { reader: reads.log, engine: version, newId };
  return (
    request: FastifyRequest<{ Querystring: RuleStatsQuery }>,
    reply: Parameters<typeof sendTagged>[1],
  ) => {
    const question = toStatsQuestion({ ...request.query, group_by: 'rule' }, dependencies);
    const { hash, document: inForce } = policies.current();
    const history = policyHistory();
    // Texts and decisive rules change with the policy, and not with the log alone.
    const named = ['rule-stats', question, hash, history[0]?.sinceMs];
    return sendTagged(request, reply, tagOptions, named, async () => {
      const log = reads.logWhile(whileConnected(reply));
      const { counted } = await countWindow({ reads, log, question }, question.window);
      const options = { reader: log, policies, formatTime: toRfc3339 };
      const performance = await ruleStatistics(options, question.window, question.filter);
      const sinceMs = await rulesSince({ hash, document: inForce }, history, policies);
      return { body: toRuleStatsBody({ counted, performance, inForce, sinceMs }) };
    });
  };
}
