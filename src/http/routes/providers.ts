import type { FastifyInstance } from 'fastify';
import type { ProviderSlot } from '../../application/gather-evidence.ts';
import type { BreakerState } from '../../application/operation-observer.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { providersSchema } from '../schemas/providers.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** What the route shows. */
export interface ProvidersRouteOptions {
  readonly slots: readonly ProviderSlot[];
  /** How the circuit of an enabled provider stands in this process. */
  readonly circuitOf: (provider: string) => BreakerState;
}

/** GET /v1/providers: how this replica stands with each of them. */
export function registerProvidersRoute(app: FastifyInstance, options: ProvidersRouteOptions): void {
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
  app.get('/v1/providers', { schema, config: { scope: 'read' } }, (_request, reply) => {
    const providers = options.slots.map(({ id, source }) => ({
      id,
      enabled: source !== null,
      circuit: options.circuitOf(id),
      suspect: source?.isSuspect() ?? false,
    }));
    return reply.header('cache-control', 'no-store').send({ providers });
  });
}
