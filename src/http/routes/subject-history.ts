import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { RiskgateError } from '../../domain/errors.ts';
import type { DecisionReadDependencies } from '../decision-log/decision-reads.ts';
import { sendTagged } from '../decision-log/entity-tag.ts';
import { whileConnected } from '../decision-log/while-connected.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { NOT_MODIFIED, problemResponses, TAG_HEADERS, TAG_REQUEST_HEADERS } from '../schemas/responses.ts';
import {
  type SubjectParams,
  subjectHistoryExample,
  subjectHistorySchema,
  subjectParamsSchema,
  toSubjectBody,
} from '../schemas/subject-history.ts';

/** GET /v1/subjects/{part}/{hash}: what the log holds of one subject. */
export const subjectHistoryRoutes = plugin<RouteGroupOptions<DecisionReadDependencies>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'What is known of a subject',
      description:
        'Of a telemetry id, a device, an account, an address or a visitor, by its keyed hash: when it was seen, what was decided, how that turned out, and which other subjects were named with it.',
      operationId: 'getSubject',
      tags: ['subjects'],
      params: toJsonSchema(subjectParamsSchema, 'input'),
      headers: TAG_REQUEST_HEADERS,
      response: {
        200: {
          description: 'The subject.',
          headers: TAG_HEADERS,
          ...toJsonSchema(subjectHistorySchema, 'output'),
          examples: [subjectHistoryExample],
        },
        304: NOT_MODIFIED,
        ...problemResponses(400, 401, 403, 404, 429, 500, 503),
      },
    };
    const route = { schema, config: { scope: 'read' as const, readsLog: 'briefly' as const } };
    app.get('/v1/subjects/:part/:hash', route, handlerFor(serve, createSubject));
  },
  { name: 'subject-history-routes' },
);

function createSubject({ reads, version, newId }: DecisionReadDependencies) {
  const tagOptions = { reader: reads.log, engine: version, newId };
  return (request: FastifyRequest<{ Params: SubjectParams }>, reply: FastifyReply) => {
    const { part, hash } = request.params;
    return sendTagged(request, reply, tagOptions, ['subject', part, hash], async () => {
      const found = await reads.logWhile(whileConnected(reply)).subject(part, hash);
      if (found === null) throw unknownSubject();
      return { body: toSubjectBody({ part, hash }, found) };
    });
  };
}

function unknownSubject(): RiskgateError {
  return new RiskgateError('not_found', 'No decision about such a subject is kept.', {
    publicDetail: 'The log holds no decision about this subject, or no longer.',
  });
}
