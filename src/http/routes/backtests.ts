import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { BacktestJob, BacktestJobs } from '../../application/backtest/backtest-jobs.ts';
import type { RecordHashes } from '../../application/decision-log/to-decision-record.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import {
  type BacktestRequest,
  backtestRequestSchema,
  backtestSchema,
  toBacktestBody,
} from '../schemas/backtests.ts';
import { toRecordFilter } from '../schemas/decision-filter.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** What the requests of this group use. */
export interface BacktestDependencies {
  readonly backtests: {
    readonly jobs: BacktestJobs;
    /** The hash of a policy's text, or every mistake in it as `line:column: message`. */
    readonly check: (
      text: string,
    ) => Promise<
      | { readonly ok: true; readonly hash: string }
      | { readonly ok: false; readonly mistakes: readonly string[] }
    >;
    /** The hash keys of the records. */
    readonly hashes: readonly RecordHashes[];
  };
}

/** A policy of 1 MiB, each of whose characters may be escaped. */
const BODY_BYTES_MAX = 2 * 1024 * 1024;
/** Mistakes of a policy that are told. */
const MISTAKES_MAX = 20;
const BACKTEST_ID = 'Backtest';
const SCOPE = { scope: 'review' as const };

type IdParams = { readonly backtest_id: string };

/** POST /v1/backtests, GET and DELETE /v1/backtests/{backtest_id}. */
export const backtestRoutes = plugin<RouteGroupOptions<BacktestDependencies>>(
  async (app, { serve }) => {
    app.addSchema({ $id: BACKTEST_ID, ...toJsonSchema(backtestSchema, 'output') });
    registerBegin(app, serve);
    const params = {
      type: 'object',
      properties: { backtest_id: { type: 'string', description: 'The `id` of a backtest.' } },
      required: ['backtest_id'],
    };
    const parts = { tags: ['policy'], params };
    const answer = (description: string) => ({
      200: { description, headers: REQUEST_ID_HEADER, $ref: `${BACKTEST_ID}#` },
      ...problemResponses(400, 401, 403, 404, 413, 415, 429, 500, 503),
    });
    const shown = {
      ...parts,
      summary: 'How far a backtest is, or what it found',
      description: 'Known to the replica that began it alone, until it restarts or has begun 20 others.',
      operationId: 'getBacktest',
      response: answer('The backtest; `report` is there when it is done.'),
    };
    app.get<{ Params: IdParams }>(
      '/v1/backtests/:backtest_id',
      { schema: shown, config: SCOPE },
      handlerFor(serve, ({ backtests }) => async (request, reply) => {
        return send(reply, 200, backtests.jobs.find(request.params.backtest_id));
      }),
    );
    const cancelled = {
      ...parts,
      summary: 'Cancel a backtest',
      description: 'Ends one that is running. One that has ended stays as it is.',
      operationId: 'cancelBacktest',
      response: answer('The backtest as it has ended.'),
    };
    app.delete<{ Params: IdParams }>(
      '/v1/backtests/:backtest_id',
      { schema: cancelled, config: SCOPE },
      handlerFor(serve, ({ backtests }) => async (request, reply) => {
        return send(reply, 200, backtests.jobs.cancel(request.params.backtest_id));
      }),
    );
  },
  { name: 'backtest-routes' },
);

function registerBegin(app: FastifyInstance, serve: BacktestDependencies | null): void {
  const schema = {
    summary: 'Try a policy on kept decisions',
    description:
      'Begins to judge the decisions of the log by this policy, beside the service and one backtest at a time: 409 while another is running. Identifiers in `where` are hashed at once, and kept nowhere.',
    operationId: 'beginBacktest',
    tags: ['policy'],
    body: toJsonSchema(backtestRequestSchema, 'input'),
    response: {
      202: { description: 'It has begun.', headers: REQUEST_ID_HEADER, $ref: `${BACKTEST_ID}#` },
      ...problemResponses(400, 401, 403, 409, 413, 415, 429, 500, 503),
    },
  };
  app.post<{ Body: BacktestRequest }>(
    '/v1/backtests',
    { schema, bodyLimit: BODY_BYTES_MAX, config: SCOPE },
    handlerFor(
      serve,
      ({ backtests }) =>
        async (request, reply) =>
          begin(backtests, request, reply),
    ),
  );
}

async function begin(
  { jobs, check, hashes }: BacktestDependencies['backtests'],
  request: FastifyRequest<{ Body: BacktestRequest }>,
  reply: FastifyReply,
) {
  const { policy, where = {}, since, until, costs = null } = request.body;
  const filter = toRecordFilter({ ...where, since, until }, hashes);
  const checked = await check(policy);
  if (!checked.ok)
    throw new RiskgateError('invalid_request', 'A candidate that is no policy.', {
      fields: checked.mistakes
        .slice(0, MISTAKES_MAX)
        .map((mistake) => ({ pointer: 'policy', detail: mistake })),
    });
  const question = { policy, hash: checked.hash, filter, costs };
  return send(reply, 202, jobs.begin(question, request.caller?.id ?? ''));
}

function send(reply: FastifyReply, status: number, job: BacktestJob | null) {
  if (job === null)
    throw new RiskgateError('not_found', 'There is no such backtest.', {
      publicDetail: 'This replica has no such backtest, or no longer.',
    });
  return reply.code(status).header('cache-control', 'no-store').send(toBacktestBody(job));
}
