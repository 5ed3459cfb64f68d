import type { FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { Analyses } from '../../application/policy-analysis/analyses.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { policyAnalysisSchema, toAnalysisBody } from '../schemas/policy-analysis.ts';
import { HASH_PARAMS } from '../schemas/policy-history.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** What the requests of this group use. */
export interface PolicyAnalysisDependencies {
  readonly analyses: Analyses;
  /** The text of a policy that is or was in force, or was a candidate; null for none. */
  readonly textOf: (hash: string) => Promise<string | null>;
}

/** GET /v1/policies/{hash}/analysis: what a policy does with all evidence that its rules can tell apart. */
export const policyAnalysisRoutes = plugin<RouteGroupOptions<PolicyAnalysisDependencies>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'What an analysis finds in a policy',
      description:
        'Of a policy whose text is known: dead and shadowed rules, verdicts that nothing comes to, what losing evidence makes milder. The first question begins it, in a thread of its own, and says `running`; each text is analyzed once by a process, one after the other, and a fifth that would wait is a 409.',
      operationId: 'getPolicyAnalysis',
      tags: ['policy'],
      params: HASH_PARAMS,
      response: {
        200: {
          description: 'How it stands.',
          headers: REQUEST_ID_HEADER,
          ...toJsonSchema(policyAnalysisSchema, 'output'),
        },
        ...problemResponses(400, 401, 403, 404, 409, 429, 500, 503),
      },
    };
    type Route = { Params: { hash: string } };
    app.get(
      '/v1/policies/:hash/analysis',
      { schema, config: { scope: 'read' as const } },
      handlerFor(serve, ({ analyses, textOf }) => async (request: FastifyRequest<Route>, reply) => {
        const { hash } = request.params;
        const text = await textOf(hash);
        if (text === null)
          throw new RiskgateError('not_found', 'No such policy.', {
            publicDetail: 'No policy with this hash is known.',
          });
        const state = analyses.stateOf(hash, text);
        if (state === null)
          throw new RiskgateError('conflict', 'Too many policies wait for their analysis.', {
            publicDetail: 'Other policies are being analyzed: try again in a moment.',
          });
        return reply.header('cache-control', 'no-store').send(toAnalysisBody(hash, state));
      }),
    );
  },
  { name: 'policy-analysis-routes' },
);
