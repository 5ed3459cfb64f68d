import plugin from 'fastify-plugin';
import { findInertRules } from '../../application/describe-policy.ts';
import type { ProviderSlot } from '../../application/evidence/gather-evidence.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { policySchema, toPolicyBody } from '../schemas/policy.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** What the requests of this group use. */
export interface PolicyDependencies {
  readonly policy: () => CompiledPolicy;
  readonly slots: readonly ProviderSlot[];
}

/** GET /v1/policy: the policy in force, its hash, and the rules that cannot apply. */
export const policyRoutes = plugin<RouteGroupOptions<PolicyDependencies>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'The policy in force',
      operationId: 'getPolicy',
      tags: ['policy'],
      response: {
        200: {
          description: 'The policy.',
          headers: REQUEST_ID_HEADER,
          ...toJsonSchema(policySchema, 'output'),
        },
        ...problemResponses(400, 401, 403, 429, 500, 503),
      },
    };
    app.get(
      '/v1/policy',
      { schema, config: { scope: 'read' } },
      handlerFor(serve, ({ policy, slots }) => (_request, reply) => {
        const inForce = policy();
        return reply
          .header('cache-control', 'no-store')
          .send(toPolicyBody(inForce, findInertRules(inForce, slots)));
      }),
    );
  },
  { name: 'policy-routes' },
);
