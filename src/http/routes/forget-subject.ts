import type { FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { z } from 'zod';
import type { ForgetSubject } from '../../application/subject-memory/forget-subject.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';
import { SUBJECT_IDS } from '../schemas/subject.ts';

const { telemetry_id, device_id, account_id } = SUBJECT_IDS;
const querySchema = z.strictObject({
  telemetry_id: telemetry_id.optional(),
  device_id: device_id.optional(),
  account_id: account_id.optional(),
  lists: z
    .enum(['true', 'false'])
    .optional()
    .describe('`true` also removes the entries of lists that name one of these ids.'),
});

/** The memory of lists, which is forgotten only where that is asked for. */
const LISTS = 'lists';

const answerSchema = z
  .object({
    forgotten: z
      .record(z.string(), z.int().nullable())
      .describe(
        'How many entries were removed from each memory, on every replica; null where that is not counted.',
      ),
  })
  .meta({ examples: [{ forgotten: { evidence: null, custody: 1 } }] });

/** What the requests of this group use. */
export interface ForgetDependencies {
  readonly forget: ForgetSubject;
}

interface ForgetRoute {
  Querystring: z.output<typeof querySchema>;
}

/** DELETE /v1/subjects: forgets what is remembered of a subject, for data-protection requests. */
export const forgetSubjectRoutes = plugin<RouteGroupOptions<ForgetDependencies>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'Forget a subject',
      description:
        'Removes what is remembered under these ids in this process, in the shared store and on every replica, and records that in the decision log. Records of earlier decisions, which hold keyed hashes, stay until their retention ends. Who used a telemetry id first is forgotten too: its next use is a first use. Repeatable.',
      operationId: 'forgetSubject',
      tags: ['subjects'],
      querystring: toJsonSchema(querySchema, 'input'),
      response: {
        200: {
          description: 'Nothing is remembered under these ids any more.',
          headers: REQUEST_ID_HEADER,
          ...toJsonSchema(answerSchema, 'output'),
        },
        ...problemResponses(400, 401, 403, 413, 415, 429, 500, 503),
      },
    };
    app.delete(
      '/v1/subjects',
      { schema, config: { scope: 'admin' as const } },
      handlerFor(serve, ({ forget }) => async (request: FastifyRequest<ForgetRoute>, reply) => {
        const { lists, ...ids } = request.query;
        if (Object.keys(ids).length === 0) throw namesNothing();
        const forgotten = await forget({
          ids,
          except: lists === 'true' ? [] : [LISTS],
          caller: request.caller?.id ?? '',
          requestId: request.id,
        });
        return reply.header('cache-control', 'no-store').send({ forgotten });
      }),
    );
  },
  { name: 'forget-subject-routes' },
);

function namesNothing(): RiskgateError {
  const publicDetail = 'Give at least one of telemetry_id, device_id, account_id.';
  return new RiskgateError('invalid_request', 'A subject without an id is to be forgotten.', {
    publicDetail,
  });
}
