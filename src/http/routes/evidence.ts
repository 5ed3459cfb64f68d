import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { PurgeEvidence } from '../../application/purge-evidence.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

const querySchema = z.strictObject({
  telemetry_id: z.string().min(1).max(256).optional(),
  device_id: z.string().min(1).max(256).optional(),
});

const answerSchema = z.object({
  purged: z
    .array(z.string())
    .describe('The providers whose evidence about the id was forgotten, on every replica.'),
});

/** DELETE /v1/evidence: forgets the evidence about an id at once, everywhere. */
export function registerEvidenceRoute(
  app: FastifyInstance,
  options: { readonly purge: PurgeEvidence },
): void {
  const schema = {
    summary: 'Forget the evidence about an id',
    description:
      'Purges the cached evidence in this process, in Redis and on every replica. Calls in flight for the id are not cached. Repeatable.',
    operationId: 'purgeEvidence',
    tags: ['evidence'],
    querystring: toJsonSchema(querySchema, 'input'),
    response: {
      200: {
        description: 'Nothing about the id is cached any more.',
        headers: REQUEST_ID_HEADER,
        ...toJsonSchema(answerSchema, 'output'),
      },
      ...problemResponses(400, 401, 403, 413, 415, 429, 500, 503),
    },
  };
  const route = { schema, config: { scope: 'admin' as const } };
  app.delete<{ Querystring: z.output<typeof querySchema> }>('/v1/evidence', route, async (request, reply) => {
    const { telemetry_id: telemetryId = null, device_id: deviceId = null } = request.query;
    if (telemetryId === null && deviceId === null) {
      throw new RiskgateError('invalid_request', 'A purge names no id.', {
        publicDetail: 'Give telemetry_id or device_id, or both.',
      });
    }
    const { providers, isComplete } = await options.purge({ telemetryId, deviceId });
    if (!isComplete) {
      throw new RiskgateError('store_unavailable', 'A purge did not reach the shared store.', {
        publicDetail: 'Purged in this process only. Repeat the request until it succeeds.',
      });
    }
    return reply.header('cache-control', 'no-store').send({ purged: providers });
  });
}
