import plugin from 'fastify-plugin';
import { z } from 'zod';
import type { PurgeEvidence, PurgeTarget } from '../../application/evidence/purge-evidence.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { partsAskedAbout, type SubjectPart } from '../../domain/subject.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';
import { SUBJECT_IDS } from '../schemas/subject.ts';

/** One parameter for each part of the subject that a provider is asked about. */
function createQuerySchema(parts: readonly SubjectPart[]) {
  return z.strictObject(Object.fromEntries(parts.map((part) => [part, SUBJECT_IDS[part].optional()])));
}

const answerSchema = z.object({
  purged: z
    .array(z.string())
    .describe('The providers whose evidence about the id was forgotten, on every replica.'),
});

/** What the requests of this group use. */
export interface EvidenceDependencies {
  readonly purge: PurgeEvidence;
}

interface EvidenceRoutesOptions extends RouteGroupOptions<EvidenceDependencies> {
  /** All of the registry, those that are disabled included. */
  readonly providers: readonly { readonly subject: SubjectPart }[];
}

/** DELETE /v1/evidence: forgets the evidence about an id at once, everywhere. */
export const evidenceRoutes = plugin<EvidenceRoutesOptions>(
  async (app, { serve, providers: all }) => {
    const parts = partsAskedAbout(all);
    const schema = {
      summary: 'Forget the evidence about an id',
      description:
        'Purges the cached evidence in this process, in Redis and on every replica. Calls in flight for the id are not cached. Repeatable.',
      operationId: 'purgeEvidence',
      tags: ['evidence'],
      querystring: toJsonSchema(createQuerySchema(parts), 'input'),
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
    // Which parameters there are depends on the providers, so a missing one is refused here, in words.
    const publicDetail = `Give at least one of ${parts.join(', ')}.`;
    app.delete<{ Querystring: PurgeTarget }>(
      '/v1/evidence',
      route,
      handlerFor(serve, ({ purge }) => async (request, reply) => {
        if (parts.every((part) => request.query[part] === undefined)) {
          throw new RiskgateError('invalid_request', 'A purge names no id.', { publicDetail });
        }
        const { providers, isComplete } = await purge(request.query);
        if (!isComplete) {
          throw new RiskgateError('store_unavailable', 'A purge did not reach the shared store.', {
            publicDetail: 'Purged in this process only. Repeat the request until it succeeds.',
          });
        }
        return reply.header('cache-control', 'no-store').send({ purged: providers });
      }),
    );
  },
  { name: 'evidence-routes' },
);
