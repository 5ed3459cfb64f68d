import plugin from 'fastify-plugin';
import type { ProviderSlot } from '../../application/evidence/gather-evidence.ts';
import type { BreakerState } from '../../application/operation-observer.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { providersSchema } from '../schemas/providers.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** What the requests of this group use. */
export interface ProvidersDependencies {
  readonly slots: readonly ProviderSlot[];
  /** How the circuit of an enabled provider stands in this process. */
  readonly circuitOf: (provider: string) => BreakerState;
}

/** GET /v1/providers: how this replica stands with each of them. */
export const providersRoutes = plugin<RouteGroupOptions<ProvidersDependencies>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'How the providers are',
      description: 'Of the replica that answers, right now. What they answered is in GET /v1/stats.',
      operationId: 'getProviders',
      tags: ['evidence'],
      response: {
        200: {
          description: 'Every provider that there is, in their order.',
          headers: REQUEST_ID_HEADER,
          ...toJsonSchema(providersSchema, 'output'),
        },
        ...problemResponses(401, 403, 429, 500, 503),
      },
    };
    app.get(
      '/v1/providers',
      { schema, config: { scope: 'read' } },
      handlerFor(serve, ({ slots, circuitOf }) => (_request, reply) => {
        const providers = slots.map(({ id, source }) => ({
          id,
          enabled: source !== null,
          circuit: circuitOf(id),
          suspect: source?.isSuspect() ?? false,
        }));
        return reply.header('cache-control', 'no-store').send({ providers });
      }),
    );
  },
  { name: 'providers-routes' },
);
