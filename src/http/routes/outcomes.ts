import type { FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { labelInForce } from '../../domain/decision-log/outcome-label.ts';
import type { DecisionReadDependencies } from '../decision-log/decision-reads.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { type OutcomeRequest, outcomeRequestSchema, outcomeSchema } from '../schemas/outcomes.ts';
import { problemResponses, REQUEST_ID_HEADER, toDecisionIdParams } from '../schemas/responses.ts';
import { readDecisionId, unknownDecision } from './decisions.ts';

interface OutcomeRoute {
  Params: { decision_id: string };
  Body: OutcomeRequest;
}

/** POST /v1/decisions/{decision_id}/outcome: how a decision turned out. */
export const outcomeRoutes = plugin<RouteGroupOptions<DecisionReadDependencies>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'Say how a decision turned out',
      description:
        'Feeds the precision of rules in GET /v1/stats. `challenge_passed` is a step-up of the telemetry id, devices and account of the decision: it satisfies the CHALLENGE of rules with `step_up`. `challenge_failed` and `fraud` end it. Repeatable: the same said again changes nothing. Of several labels that with the latest time counts, and all of them are kept, 100 at most. `withdrawn` takes back what was said: the decision has no label then, rules and activity count it no longer, and a step-up that `challenge_passed` was ends. Values that became known or unknown by a label stay unknown until they are accepted again.',
      operationId: 'reportOutcome',
      tags: ['decisions'],
      params: toDecisionIdParams(),
      body: toJsonSchema(outcomeRequestSchema, 'input'),
      response: {
        200: {
          description: 'It is recorded, now or before.',
          headers: REQUEST_ID_HEADER,
          ...toJsonSchema(outcomeSchema, 'output'),
        },
        ...problemResponses(400, 401, 403, 404, 409, 413, 415, 429, 500, 503),
      },
    };
    const route = { schema, config: { scope: ['decide', 'review'] as const } };
    app.post(
      '/v1/decisions/:decision_id/outcome',
      route,
      handlerFor(serve, ({ reportOutcome: report }) => {
        return async (request: FastifyRequest<OutcomeRoute>, reply) => {
          const {
            label,
            at,
            note = null,
            labels_seen: labelsSeen = null,
            method = null,
            acr = null,
          } = request.body;
          const id = readDecisionId(request.params.decision_id);
          if (id === null) throw unknownDecision();
          const atMs = at === undefined ? null : Date.parse(at);
          const labels = await report({
            id,
            label,
            atMs,
            note,
            labelsSeen,
            method,
            acr,
            caller: request.caller?.id ?? '',
          });
          if (labels === null) throw unknownDecision();
          return reply
            .header('cache-control', 'no-store')
            .send({ decision_id: id, label: labelInForce(labels), labels });
        };
      }),
    );
  },
  { name: 'outcome-routes' },
);
