import type { FastifyInstance, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { z } from 'zod';
import type { CandidateStore } from '../../application/candidates/candidate-store.ts';
import {
  type ChangeCandidates,
  viewCandidate,
  viewCandidates,
} from '../../application/candidates/change-candidates.ts';
import type { PolicyStatus } from '../../application/policy-in-force/policy-in-force.ts';
import type { PromotionState } from '../../application/promotion/promotion-state.ts';
import type { RolloutInForce } from '../../application/promotion/read-rollout.ts';
import type { WatchLook } from '../../application/promotion/watch-promotion.ts';
import { RiskgateError } from '../../domain/errors.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import {
  CANDIDATE_BODY_BYTES_MAX,
  POLICY_PARAMS,
  policiesSchema,
  putCandidateAnswerSchema,
  putCandidateSchema,
  removedCandidateSchema,
  toCandidateBody,
  toWarnings,
} from '../schemas/policies.ts';
import { toInForceBody } from '../schemas/policy-history.ts';
import { toWatched } from '../schemas/promotion.ts';
import { conflictResponse, problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** What the requests of this group use. */
export interface PoliciesDependencies {
  readonly policy: () => CompiledPolicy;
  /** That of the policy file of this process. */
  readonly file: () => CompiledPolicy;
  readonly status: () => PolicyStatus;
  readonly candidates: () => readonly CompiledPolicy[];
  /** The one under way, with what was found last; null without one. */
  readonly promotion: () => readonly [RolloutInForce, WatchLook | null] | null;
  readonly promotionState: () => PromotionState;
  readonly store: CandidateStore;
  readonly change: ChangeCandidates;
}

type Serve = PoliciesDependencies | null;
type CandidateRoute = { Params: { id: string } };

/** /v1/policies: the policy in force and its candidates. */
export const policiesRoutes = plugin<RouteGroupOptions<PoliciesDependencies>>(
  async (app, { serve }) => {
    registerOverview(app, serve);
    registerPut(app, serve);
    registerDelete(app, serve);
  },
  { name: 'policies-routes' },
);

function registerOverview(app: FastifyInstance, serve: Serve): void {
  const schema = {
    summary: 'The policy in force and its candidates',
    operationId: 'getPolicies',
    tags: ['policy'],
    response: {
      200: { description: 'All.', headers: REQUEST_ID_HEADER, ...toJsonSchema(policiesSchema, 'output') },
      ...problemResponses(400, 401, 403, 429, 500, 503),
    },
  };
  app.get(
    '/v1/policies',
    { schema, config: { scope: 'read' } },
    handlerFor(serve, (parts) => (_request, reply) => {
      const { policy, file, status, candidates, store, promotion, promotionState } = parts;
      const underWay = promotion();
      const inForce = policy();
      return reply.header('cache-control', 'no-store').send({
        in_force: toInForceBody(status(), inForce, file()),
        candidates: viewCandidates(inForce, candidates(), store.candidates()).map(toCandidateBody),
        promotion: underWay && toWatched(...underWay),
        promotion_state: promotionState(),
        kept_in: store.place,
      });
    }),
  );
}

function registerPut(app: FastifyInstance, serve: Serve): void {
  const schema = {
    summary: 'Register a candidate',
    description:
      'The policy judges each decision from then on, after it was answered, on all replicas within a second, and never answers. Its cases are run, and what of them would refuse a promotion is told under `warnings`. What has the same id is replaced. The change is an event in the decision log. Repeatable. A replica registers one candidate at a time: 409 while it is at another.',
    operationId: 'putCandidate',
    tags: ['policy'],
    params: POLICY_PARAMS,
    body: {
      ...toJsonSchema(putCandidateSchema, 'input'),
      examples: [
        {
          policy:
            "policy: shop-next\notherwise: ALLOW\nrules:\n  - {id: not-found, when: '!stytch.found', verdict: BLOCK, reason: NOT_FOUND}\n",
        },
      ],
    },
    response: {
      200: {
        description: 'It is a candidate.',
        headers: REQUEST_ID_HEADER,
        ...toJsonSchema(putCandidateAnswerSchema, 'output'),
      },
      ...problemResponses(400, 401, 403, 413, 415, 429, 500, 503),
      ...conflictResponse(
        'The policy is in force, there are eight other candidates, or another one is being registered.',
      ),
    },
  };
  type Put = CandidateRoute & { Body: z.output<typeof putCandidateSchema> };
  app.put(
    '/v1/policies/:id/candidate',
    { schema, bodyLimit: CANDIDATE_BODY_BYTES_MAX, config: { scope: 'admin' as const } },
    handlerFor(serve, ({ change, policy, store }) => async (request: FastifyRequest<Put>, reply) => {
      const { policy: text, tests = null } = request.body;
      const changer = { caller: request.caller?.id ?? '', requestId: request.id };
      const put = await change.put(request.params.id, { text, tests }, changer);
      const candidate = toCandidateBody(viewCandidate(policy(), put.policy, store.candidates()));
      const warnings = toWarnings(put.warnings);
      return reply.header('cache-control', 'no-store').send({ candidate, warnings });
    }),
  );
}

function registerDelete(app: FastifyInstance, serve: Serve): void {
  const schema = {
    summary: 'Remove a candidate',
    description:
      'One that was registered; a candidate in a file goes with its file. All replicas obey within a second. The change is an event in the decision log.',
    operationId: 'removeCandidate',
    tags: ['policy'],
    params: POLICY_PARAMS,
    response: {
      200: {
        description: 'It is no candidate any more.',
        headers: REQUEST_ID_HEADER,
        ...toJsonSchema(removedCandidateSchema, 'output'),
      },
      ...problemResponses(400, 401, 403, 404, 413, 415, 429, 500, 503),
    },
  };
  app.delete(
    '/v1/policies/:id/candidate',
    { schema, config: { scope: 'admin' as const } },
    handlerFor(serve, ({ change }) => async (request: FastifyRequest<CandidateRoute>, reply) => {
      const changer = { caller: request.caller?.id ?? '', requestId: request.id };
      const removed = await change.remove(request.params.id, changer);
      if (removed === null)
        throw new RiskgateError('not_found', 'No such candidate.', {
          publicDetail: 'No candidate with this id was registered.',
        });
      const { id, hash } = removed;
      return reply.header('cache-control', 'no-store').send({ removed: { id, hash } });
    }),
  );
}
