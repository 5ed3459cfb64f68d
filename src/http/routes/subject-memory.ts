import type { FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { ReadMemory } from '../../application/subject-memory/read-memory.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';
import { type SubjectParams, subjectParamsSchema } from '../schemas/subject-history.ts';
import { subjectMemoryExample, subjectMemorySchema, toSubjectMemory } from '../schemas/subject-memory.ts';

/** What the requests of this group use. */
export interface SubjectMemoryDependencies {
  readonly readMemory: ReadMemory;
}

/** GET /v1/subjects/{part}/{hash}/memory: what is remembered of one subject now, beside the log. */
export const subjectMemoryRoutes = plugin<RouteGroupOptions<SubjectMemoryDependencies>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'What is remembered of a subject',
      description:
        'The lists that it is on, and the challenges that it completed. Nobody who is on no list and completed none is unknown: the answer is empty then.',
      operationId: 'getSubjectMemory',
      tags: ['subjects'],
      params: toJsonSchema(subjectParamsSchema, 'input'),
      response: {
        200: {
          description: 'What is remembered now.',
          headers: REQUEST_ID_HEADER,
          ...toJsonSchema(subjectMemorySchema, 'output'),
          examples: [subjectMemoryExample],
        },
        ...problemResponses(400, 401, 403, 429, 500, 503),
      },
    };
    app.get(
      '/v1/subjects/:part/:hash/memory',
      { schema, config: { scope: 'read' as const } },
      handlerFor(
        serve,
        ({ readMemory }) =>
          async (request: FastifyRequest<{ Params: SubjectParams }>, reply) => {
            const { part, hash } = request.params;
            const remembered = await readMemory(part, hash);
            return reply
              .header('cache-control', 'no-store')
              .send(toSubjectMemory(request.params, remembered));
          },
      ),
    );
  },
  { name: 'subject-memory-routes' },
);
