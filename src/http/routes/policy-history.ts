import type { FastifyInstance, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { z } from 'zod';
import type { KnownPolicies } from '../../application/decision-log/known-policies.ts';
import type { ChangePolicy } from '../../application/policy-in-force/change-policy.ts';
import type { PolicyStore } from '../../application/policy-in-force/policy-store.ts';
import { RiskgateError } from '../../domain/errors.ts';
import type { PolicyDocument } from '../../domain/policy/document.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { diffQuerySchema, type PolicyDifference, policyDiffSchema } from '../schemas/policy-diff.ts';
import {
  HASH_PARAMS,
  keptPolicySchema,
  policyHistorySchema,
  policyPutSchema,
  toEntryBody,
  toHistoryBody,
} from '../schemas/policy-history.ts';
import { conflictResponse, problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** What the requests of this group use. */
export interface PolicyHistoryDependencies {
  readonly store: PolicyStore;
  readonly change: ChangePolicy;
  readonly policies: KnownPolicies;
  /** The text of a policy that is or was in force, or was a candidate; null for none. */
  readonly textOf: (hash: string) => Promise<string | null>;
  /** What a text says, in a thread of its own; null where this version cannot read it. Never rejects. */
  readonly documentOf: (text: string) => Promise<PolicyDocument | null>;
  /**
   * How two texts differ; null where this version refuses one of them. Rejects with `conflict` while two others are
   * compared.
   */
  readonly diff: (before: string, after: string) => Promise<PolicyDifference | null>;
}

type Serve = PolicyHistoryDependencies | null;
type HashRoute = { Params: { hash: string } };

/** /v1/policies/history, /v1/policies/{hash} and /v1/policies/in-force: which policies were in force, and again. */
export const policyHistoryRoutes = plugin<RouteGroupOptions<PolicyHistoryDependencies>>(
  async (app, { serve }) => {
    registerHistory(app, serve);
    registerShow(app, serve);
    registerDiff(app, serve);
    registerRestore(app, serve);
    registerRelease(app, serve);
  },
  { name: 'policy-history-routes' },
);

function registerHistory(app: FastifyInstance, serve: Serve): void {
  const schema = {
    summary: 'The policies that came into force',
    description: 'Those of files too. Without Redis, those of this process since its start.',
    operationId: 'getPolicyHistory',
    tags: ['policy'],
    response: {
      200: {
        description: 'The latest.',
        headers: REQUEST_ID_HEADER,
        ...toJsonSchema(policyHistorySchema, 'output'),
      },
      ...problemResponses(400, 401, 403, 429, 500, 503),
    },
  };
  app.get(
    '/v1/policies/history',
    { schema, config: { scope: 'read' } },
    handlerFor(serve, ({ store }) => (_request, reply) => {
      const policies = toHistoryBody(store.state().history);
      return reply.header('cache-control', 'no-store').send({ policies, kept_in: store.place });
    }),
  );
}

function registerShow(app: FastifyInstance, serve: Serve): void {
  const schema = {
    summary: 'A policy by its hash',
    description:
      'One that is in force, was among the latest 50, or whose text the decision log keeps: then also candidates and older ones.',
    operationId: 'getPolicyByHash',
    tags: ['policy'],
    params: HASH_PARAMS,
    response: {
      200: {
        description: 'The policy.',
        headers: REQUEST_ID_HEADER,
        ...toJsonSchema(keptPolicySchema, 'output'),
      },
      ...problemResponses(400, 401, 403, 404, 429, 500, 503),
    },
  };
  app.get(
    '/v1/policies/:hash',
    { schema, config: { scope: 'read' as const } },
    handlerFor(serve, (parts) => async (request: FastifyRequest<HashRoute>, reply) => {
      const { hash } = request.params;
      const text = await parts.textOf(hash);
      if (text === null) throw unknownPolicy();
      const inForce = parts.policies.current().hash === hash;
      const history = parts.store.state().history.filter((entry) => entry.hash === hash);
      const document = await parts.documentOf(text);
      const id = document?.policy ?? history[0]?.id ?? '';
      return reply
        .header('cache-control', 'no-store')
        .send({ id, hash, text, in_force: inForce, document, history: history.map(toEntryBody) });
    }),
  );
}

type DiffRoute = HashRoute & { Querystring: z.output<typeof diffQuerySchema> };

function registerDiff(app: FastifyInstance, serve: Serve): void {
  const schema = {
    summary: 'How two policies differ',
    description:
      'Over all evidence that the rules of either can tell apart, without traffic, as `riskgate diff` says it. It takes up to some ten seconds, once for each pair; one pair is compared at a time: 409 while another is.',
    operationId: 'diffPolicies',
    tags: ['policy'],
    params: HASH_PARAMS,
    querystring: toJsonSchema(diffQuerySchema, 'input'),
    response: {
      200: {
        description: 'The difference.',
        headers: REQUEST_ID_HEADER,
        ...toJsonSchema(policyDiffSchema, 'output'),
      },
      ...problemResponses(400, 401, 403, 404, 409, 429, 500, 503),
    },
  };
  app.get(
    '/v1/policies/:hash/diff',
    { schema, config: { scope: 'read' as const } },
    handlerFor(serve, ({ textOf, diff }) => async (request: FastifyRequest<DiffRoute>, reply) => {
      const [before, after] = [request.params.hash, request.query.with];
      const [left, right] = await Promise.all([textOf(before), textOf(after)]);
      if (left === null || right === null) throw unknownPolicy();
      const difference = await diff(left, right);
      if (difference === null)
        throw new RiskgateError('invalid_request', 'A policy that this version refuses.', {
          publicDetail: 'This version refuses one of the policies, so that they cannot be compared.',
        });
      const names = { before: { hash: before }, after: { hash: after } };
      return reply.header('cache-control', 'no-store').send({ ...names, ...difference });
    }),
  );
}

const CHANGE_REFUSALS = {
  ...problemResponses(400, 401, 403, 404, 413, 415, 429, 500, 503),
  ...conflictResponse(
    'Without Redis the policy file is the truth; or somebody else has changed what is in force, or another policy is being checked.',
  ),
};

function registerRestore(app: FastifyInstance, serve: Serve): void {
  const schema = {
    summary: 'Put a policy in force again',
    description:
      'One of `GET /v1/policies/history`, on all replicas within a second, over their files. It is checked as a candidate is, and by nothing that holds a promotion back. What stood beside the policy in force ends. The change is an event in the decision log.',
    operationId: 'restorePolicy',
    tags: ['policy'],
    params: HASH_PARAMS,
    response: {
      200: {
        description: 'It is in force.',
        headers: REQUEST_ID_HEADER,
        ...toJsonSchema(policyPutSchema, 'output'),
      },
      ...CHANGE_REFUSALS,
    },
  };
  app.post(
    '/v1/policies/history/:hash/restore',
    { schema, config: { scope: 'admin' as const } },
    handlerFor(serve, ({ change }) => async (request: FastifyRequest<HashRoute>, reply) => {
      const restored = await change.restore(request.params.hash, changerOf(request));
      if (restored === null) throw unknownPolicy();
      return reply.header('cache-control', 'no-store').send({ in_force: toEntryBody(restored) });
    }),
  );
}

function registerRelease(app: FastifyInstance, serve: Serve): void {
  const schema = {
    summary: 'Let policy files count again',
    description:
      'Ends what was put in force: each replica judges by its own file within a second. Look first whether the files have what they should. The change is an event in the decision log.',
    operationId: 'releasePolicy',
    tags: ['policy'],
    response: {
      200: {
        description: 'The files count: this is the policy of the replica that was asked.',
        headers: REQUEST_ID_HEADER,
        ...toJsonSchema(policyPutSchema, 'output'),
      },
      ...CHANGE_REFUSALS,
    },
  };
  app.delete(
    '/v1/policies/in-force',
    { schema, config: { scope: 'admin' as const } },
    handlerFor(serve, ({ change }) => async (request, reply) => {
      const released = await change.release(changerOf(request));
      if (released === null)
        throw new RiskgateError('not_found', 'Nothing is in force over the files.', {
          publicDetail: 'Nothing is in force over the files.',
        });
      return reply.header('cache-control', 'no-store').send({ in_force: toEntryBody(released) });
    }),
  );
}

function changerOf(request: Pick<FastifyRequest, 'caller' | 'id'>) {
  return { caller: request.caller?.id ?? '', requestId: request.id };
}

function unknownPolicy(): RiskgateError {
  return new RiskgateError('not_found', 'No such policy.', {
    publicDetail: 'No policy with this hash is known.',
  });
}
