import type { FastifyInstance, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { z } from 'zod';
import type { Promotions } from '../../application/promotion/promotions.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import {
  PROMOTION_PARAMS,
  promoteSchema,
  promotionQuerySchema,
  promotionSchema,
  takenBackSchema,
  toPromotionBody,
  toUnderWay,
} from '../schemas/promotion.ts';
import { conflictResponse, problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** What the requests of this group use. */
export interface PromotionDependencies {
  readonly promotions: Promotions;
}

type Serve = PromotionDependencies | null;
type PromotionRoute = { Params: { id: string } };

const PROMOTION_ID = 'Promotion';
const TAGS = { tags: ['policy'], params: PROMOTION_PARAMS };

/** GET and DELETE /v1/policies/{id}/promotion, POST /v1/policies/{id}/promote. */
export const promotionRoutes = plugin<RouteGroupOptions<PromotionDependencies>>(
  async (app, { serve }) => {
    app.addSchema({ $id: PROMOTION_ID, ...toJsonSchema(promotionSchema, 'output') });
    registerChecks(app, serve);
    registerPromote(app, serve);
    registerTakeBack(app, serve);
  },
  { name: 'promotion-routes' },
);

function registerChecks(app: FastifyInstance, serve: Serve): void {
  const schema = {
    ...TAGS,
    summary: 'What a candidate has shown',
    description:
      'Every check of a promotion, by the limits of the policy in force. Nothing is changed. Its cases and its analysis are run in a thread of their own: the first answer for a text can take some ten seconds.',
    operationId: 'getPromotion',
    querystring: toJsonSchema(promotionQuerySchema, 'input'),
    response: {
      200: { description: 'The checks.', headers: REQUEST_ID_HEADER, $ref: `${PROMOTION_ID}#` },
      ...problemResponses(400, 401, 403, 404, 429, 500, 503),
      ...conflictResponse('The candidate with the id has another hash.'),
    },
  };
  type Checks = PromotionRoute & { Querystring: z.output<typeof promotionQuerySchema> };
  app.get(
    '/v1/policies/:id/promotion',
    { schema, config: { scope: 'review' as const } },
    handlerFor(serve, ({ promotions }) => async (request: FastifyRequest<Checks>, reply) => {
      const { hash = null } = request.query;
      const view = await promotions.view({ id: request.params.id, hash });
      return reply.header('cache-control', 'no-store').send(toPromotionBody(view));
    }),
  );
}

function registerPromote(app: FastifyInstance, serve: Serve): void {
  const schema = {
    ...TAGS,
    summary: 'Promote a candidate',
    description:
      'Puts it in force on all replicas within a second, or lets it answer a share of accounts: 409 with the checks that fail, unless all pass. Then it is watched, and taken back by itself where a limit is exceeded. Each change, and each refusal, is an event in the decision log. Without Redis the policy file is the truth: 409.',
    operationId: 'promotePolicy',
    body: toJsonSchema(promoteSchema, 'input'),
    response: {
      200: { description: 'It answers.', headers: REQUEST_ID_HEADER, $ref: `${PROMOTION_ID}#` },
      ...problemResponses(400, 401, 403, 404, 413, 415, 429, 500, 503),
      ...conflictResponse(
        'Checks fail, which `errors` names; another promotion is under way; what is in force has changed; or there is no Redis.',
      ),
    },
  };
  type Promote = PromotionRoute & { Body: z.output<typeof promoteSchema> };
  app.post(
    '/v1/policies/:id/promote',
    { schema, config: { scope: 'admin' as const } },
    handlerFor(serve, ({ promotions }) => async (request: FastifyRequest<Promote>, reply) => {
      const { hash, share = 1 } = request.body;
      const view = await promotions.promote({ id: request.params.id, hash, share }, toPromoter(request));
      return reply.header('cache-control', 'no-store').send(toPromotionBody(view));
    }),
  );
}

function registerTakeBack(app: FastifyInstance, serve: Serve): void {
  const schema = {
    ...TAGS,
    summary: 'Take a promotion back',
    description:
      'The share of accounts that a candidate answers; while the policy in force is watched, all of it: the former one is in force again. An event in the decision log.',
    operationId: 'takePromotionBack',
    response: {
      200: {
        description: 'It was taken back.',
        headers: REQUEST_ID_HEADER,
        ...toJsonSchema(takenBackSchema, 'output'),
      },
      ...problemResponses(400, 401, 403, 404, 413, 415, 429, 500, 503),
      ...conflictResponse('What is in force has changed, or there is no Redis.'),
    },
  };
  app.delete(
    '/v1/policies/:id/promotion',
    { schema, config: { scope: 'admin' as const } },
    handlerFor(serve, ({ promotions }) => async (request: FastifyRequest<PromotionRoute>, reply) => {
      const taken = await promotions.takeBack(request.params.id, toPromoter(request));
      return reply.header('cache-control', 'no-store').send({ taken_back: toUnderWay(taken) });
    }),
  );
}

function toPromoter(request: FastifyRequest) {
  return { caller: request.caller?.id ?? '', requestId: request.id };
}
