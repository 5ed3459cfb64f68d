import type { FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { RiskgateError } from '../../domain/errors.ts';
import type { DecisionReadDependencies } from '../decision-log/decision-reads.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import {
  type FindSubjectBody,
  findSubjectBodySchema,
  foundSubjectSchema,
  toFoundSubject,
} from '../schemas/find-subject.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** POST /v1/subjects/find: the keyed hash that stands for an identifier in links and records. */
export const findSubjectRoutes = plugin<RouteGroupOptions<DecisionReadDependencies>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'Find the keyed hash of an identifier',
      description:
        'For pages and links, which name subjects by their keyed hashes: an identifier in a body is in no address, history or log of a proxy. Exactly one identifier is given. It is hashed at once and kept nowhere; the answer does not say whether anybody has seen it.',
      operationId: 'findSubject',
      tags: ['subjects'],
      body: {
        ...toJsonSchema(findSubjectBodySchema, 'input'),
        examples: [{ device_id: 'dev_51f0' }],
      },
      response: {
        200: {
          description: 'What it is called in records.',
          headers: REQUEST_ID_HEADER,
          ...toJsonSchema(foundSubjectSchema, 'output'),
          examples: [
            {
              part: 'device',
              hashes: [{ hash_key: 'a2f1c9d0', hash: '6f1ed002ab5595859014ebf0951522d9' }],
            },
          ],
        },
        ...problemResponses(400, 401, 403, 413, 415, 429, 500, 503),
      },
    };
    app.post<{ Body: FindSubjectBody }>(
      '/v1/subjects/find',
      { schema, config: { scope: 'read' as const } },
      handlerFor(serve, ({ reads }) => (request: FastifyRequest<{ Body: FindSubjectBody }>, reply) => {
        const found = toFoundSubject(request.body, reads.hashes);
        if (found === null) throw namesNothing();
        return reply.header('cache-control', 'no-store').send(found);
      }),
    );
  },
  { name: 'find-subject-routes' },
);

function namesNothing(): RiskgateError {
  return new RiskgateError('invalid_request', 'A subject of no identifier, or of several.', {
    publicDetail: 'Give exactly one of telemetry_id, device_id, account_id, ip; an ip must be an address.',
  });
}
