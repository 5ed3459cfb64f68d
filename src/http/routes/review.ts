import { hash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { z } from 'zod';
import type { Review } from '../../application/review/review.ts';
import type { Reviewer } from '../../application/review/review-store.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { type JsonSchema, toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER, toDecisionIdParams } from '../schemas/responses.ts';
import {
  claimSchema,
  claimsSchema,
  putQueueAnswerSchema,
  putQueueSchema,
  queuesSchema,
  releasedSchema,
  removedQueueSchema,
  removeQueueSchema,
  toClaimsBody,
  toFilters,
  toQueueBody,
} from '../schemas/review.ts';

/** What the requests of this group use. */
export interface ReviewDependencies {
  readonly review: Review;
}

type Serve = ReviewDependencies | null;

const READERS = ['read', 'review'] as const;
const TAGS = ['review'];

/** /v1/review: queues of decisions that people review, and who has taken what. */
export const reviewRoutes = plugin<RouteGroupOptions<ReviewDependencies>>(
  async (app, { serve }) => {
    registerQueues(app, serve);
    registerQueueChanges(app, serve);
    registerClaims(app, serve);
    registerClaimChanges(app, serve);
  },
  { name: 'review-routes' },
);

function registerQueues(app: FastifyInstance, serve: Serve): void {
  const schema = {
    summary: 'The queues',
    description: 'Filters that people have saved for each other.',
    operationId: 'getReviewQueues',
    tags: TAGS,
    response: {
      200: answer('All of them.', queuesSchema),
      ...problemResponses(400, 401, 403, 429, 500, 503),
    },
  };
  app.get(
    '/v1/review/queues',
    { schema, config: { scope: READERS } },
    handlerFor(serve, ({ review }) => async (_request, reply) => {
      const queues = (await review.queues()).map(toQueueBody);
      return reply.header('cache-control', 'no-store').send({ queues, kept_in: review.place });
    }),
  );
}

function registerQueueChanges(app: FastifyInstance, serve: Serve): void {
  const changes = problemResponses(400, 401, 403, 409, 413, 415, 429, 500, 503);
  type Put = { Body: z.output<typeof putQueueSchema> };
  const put = {
    summary: 'Save a queue',
    description:
      'Filters under a name, for everybody who reviews. One with the same name is replaced. Repeatable.',
    operationId: 'putReviewQueue',
    tags: TAGS,
    body: {
      ...toJsonSchema(putQueueSchema, 'input'),
      examples: [
        { name: 'Challenged payouts', filters: { decision: 'CHALLENGE', action: 'payout', label: 'none' } },
      ],
    },
    response: { 200: answer('It is saved.', putQueueAnswerSchema), ...changes },
  };
  app.put(
    '/v1/review/queues',
    { schema: put, config: { scope: 'review' as const } },
    handlerFor(serve, ({ review }) => async (request: FastifyRequest<Put>, reply) => {
      const { name, filters } = request.body;
      const queue = await review.saveQueue(name, toFilters(filters), request.caller?.id ?? '');
      return reply.header('cache-control', 'no-store').send({ queue: toQueueBody(queue) });
    }),
  );
  type Remove = { Querystring: z.output<typeof removeQueueSchema> };
  const remove = {
    summary: 'Remove a queue',
    operationId: 'removeReviewQueue',
    tags: TAGS,
    querystring: toJsonSchema(removeQueueSchema, 'input'),
    response: {
      200: answer('It is gone.', removedQueueSchema),
      ...problemResponses(400, 401, 403, 404, 413, 415, 429, 500, 503),
    },
  };
  app.delete(
    '/v1/review/queues',
    { schema: remove, config: { scope: 'review' as const } },
    handlerFor(serve, ({ review }) => async (request: FastifyRequest<Remove>, reply) => {
      const { name } = request.query;
      if (!(await review.removeQueue(name)))
        throw new RiskgateError('not_found', 'No such queue.', { publicDetail: 'No queue has this name.' });
      return reply.header('cache-control', 'no-store').send({ removed: name });
    }),
  );
}

function registerClaims(app: FastifyInstance, serve: Serve): void {
  const schema = {
    summary: 'Who reviews what',
    operationId: 'getReviewClaims',
    tags: TAGS,
    response: {
      200: answer('Every decision that is taken now.', claimsSchema),
      ...problemResponses(400, 401, 403, 429, 500, 503),
    },
  };
  app.get(
    '/v1/review/claims',
    { schema, config: { scope: READERS } },
    handlerFor(serve, ({ review }) => async (request, reply) => {
      const claims = await review.claims();
      return reply.header('cache-control', 'no-store').send(toClaimsBody(claims, reviewerOf(request).holder));
    }),
  );
}

function registerClaimChanges(app: FastifyInstance, serve: Serve): void {
  type Claim = { Body: z.output<typeof claimSchema> };
  const claim = {
    summary: 'Take decisions to review',
    description:
      'Each of them that nobody else has is taken for whoever asks, for five minutes; asking again prolongs that. Two who ask at once never get the same one: `is_mine` says who has it. With sessions each browser is one of its own.',
    operationId: 'claimReviews',
    tags: TAGS,
    body: toJsonSchema(claimSchema, 'input'),
    response: {
      200: answer('Who has each of them now.', claimsSchema),
      ...problemResponses(400, 401, 403, 409, 413, 415, 429, 500, 503),
    },
  };
  app.post(
    '/v1/review/claims',
    { schema: claim, config: { scope: 'review' as const } },
    handlerFor(serve, ({ review }) => async (request: FastifyRequest<Claim>, reply) => {
      const by = reviewerOf(request);
      const claims = await review.claim(request.body.decision_ids, by);
      return reply.header('cache-control', 'no-store').send(toClaimsBody(claims, by.holder));
    }),
  );
  const release = {
    summary: 'Give a decision back',
    description: 'Repeatable. A decision that somebody else has stays taken.',
    operationId: 'releaseReview',
    tags: TAGS,
    params: toDecisionIdParams(),
    response: {
      200: answer('Whoever asks does not have it.', releasedSchema),
      ...problemResponses(400, 401, 403, 413, 415, 429, 500, 503),
    },
  };
  app.delete(
    '/v1/review/claims/:decision_id',
    { schema: release, config: { scope: 'review' as const } },
    handlerFor(
      serve,
      ({ review }) =>
        async (request: FastifyRequest<{ Params: { decision_id: string } }>, reply) => {
          const { decision_id: id } = request.params;
          await review.release(id, reviewerOf(request));
          return reply.header('cache-control', 'no-store').send({ decision_id: id });
        },
    ),
  );
}

/** Two who signed in with one key are two. */
function reviewerOf({ caller, session }: FastifyRequest): Reviewer {
  const name = caller?.id ?? '';
  const who = session === null ? `key ${name}` : `session ${session.name}`;
  return { name, holder: hash('sha256', who).slice(0, 32) };
}

function answer(description: string, schema: z.ZodType): JsonSchema {
  return { description, headers: REQUEST_ID_HEADER, ...toJsonSchema(schema, 'output') };
}
