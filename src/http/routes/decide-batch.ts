import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { BatchResult, RunBatch } from '../../application/batch/run-batch.ts';
import { type DecideOptions, toDeadline } from '../../application/decide.ts';
import { createSharedLooks } from '../../application/evidence/shared-looks.ts';
import type { OperationObserver } from '../../application/operation-observer.ts';
import type { Asking } from '../../application/settle-decision.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { parseIdempotencyKey } from '../callers/idempotency-key.ts';
import { toRateField } from '../plugins/limit-callers.ts';
import { retryAfterOf, toFieldErrors, toRefusal } from '../refusal.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import {
  type DecideHeaders,
  decideHeadersSchema,
  decideResponseHeaders,
  toContent,
  toDecideOptions,
  toDecisionBody,
} from '../schemas/decide.ts';
import {
  type BatchItem,
  type BatchRequest,
  createBatchAnswerSchema,
  createBatchItemSchema,
  createBatchRequestSchema,
} from '../schemas/decide-batch.ts';
import { type JsonSchema, toJsonSchema } from '../schemas/json-schema.ts';
import { statusOf, toProblem } from '../schemas/problem.ts';
import { PROBLEM_ID, problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';
import { toSubject } from '../schemas/subject.ts';
import { DECISION_ID, type DecideDependencies, decideFor, ENTRY_POINT } from './decide.ts';

/** Fifty items with every field at its longest, in ASCII, and a little more. */
const BODY_BYTES_MAX = 128 * 1024;

/** What the requests of this group use. */
export interface DecideBatchDependencies extends DecideDependencies {
  readonly runBatch: RunBatch;
  /** The configured deadline. */
  readonly deadlineMs: number;
  readonly observer: Pick<OperationObserver, 'onBatch' | 'onRefusal'>;
  readonly logger: Logger;
}

interface DecideBatchRoutesOptions extends RouteGroupOptions<DecideBatchDependencies> {
  /** All of the registry. */
  readonly providers: readonly { readonly id: string; readonly subject: string }[];
}

interface BatchRoute {
  Body: BatchRequest;
  Headers: DecideHeaders;
}

/**
 * POST /v1/decide/batch: what as many requests to /v1/decide would have answered, in one answer. Register it
 * after that route, whose schema of a decision it refers to.
 */
export const decideBatchRoutes = plugin<DecideBatchRoutesOptions>(
  async (app, { serve, providers }) => {
    const deviceProviders = providers.filter(({ subject }) => subject === 'device_id').map(({ id }) => id);
    const item = createBatchItemSchema(deviceProviders);
    const schema = {
      summary: 'Decide about several subjects',
      description:
        'Each item is what a request to `/v1/decide` would be: judged by the same policy, counted against the same limits, recorded by itself. One deadline holds for all, and evidence is shared: no provider is asked twice about an id. A mistake in one item is a problem in its place, and no other suffers from it. With an `Idempotency-Key` each item is answered once, by its place.',
      operationId: 'decideBatch',
      tags: ['decisions'],
      // Items are checked one by one, so that a bad one does not refuse all.
      body: toJsonSchema(createBatchRequestSchema(z.unknown()), 'input'),
      headers: toJsonSchema(decideHeadersSchema, 'input'),
      response: {
        200: {
          description: 'An entry for each item, also where none could be decided.',
          headers: {
            ...REQUEST_ID_HEADER,
            'ratelimit-policy': decideResponseHeaders['ratelimit-policy'],
            ratelimit: decideResponseHeaders.ratelimit,
          },
          ...createBatchAnswerSchema({ $ref: `${DECISION_ID}#` }, { $ref: `${PROBLEM_ID}#` }),
        },
        ...problemResponses(400, 401, 403, 413, 415, 429, 500, 503),
      },
    };
    const described = { ...schema, body: toJsonSchema(createBatchRequestSchema(item), 'input') };
    const config = {
      scope: 'decide' as const,
      takesTestKeys: true as const,
      swaggerTransform: ({ url }: { url: string }) => ({ schema: described, url }),
    };
    app.post<BatchRoute>(
      '/v1/decide/batch',
      { schema, bodyLimit: BODY_BYTES_MAX, config },
      handlerFor(serve, (dependencies) => createBatchHandler(dependencies, toJsonSchema(item, 'input'))),
    );
  },
  { name: 'decide-batch-routes', dependencies: ['decide-routes'] },
);

function createBatchHandler(dependencies: DecideBatchDependencies, itemSchema: JsonSchema) {
  const { runBatch, isDraining, deadlineMs, observer } = dependencies;
  return async (request: FastifyRequest<BatchRoute>, reply: FastifyReply) => {
    const { items } = request.body;
    const { 'idempotency-key': key } = request.headers;
    // A mistake in the key is the request's, and not each item's.
    if (key !== undefined) parseIdempotencyKey(key);
    const options = {
      ...toDecideOptions(request.body, request.headers, request),
      looks: createSharedLooks(),
    };
    const { results, rate } = await runBatch({
      items: items.map(
        (item, index) => () => decideItem(dependencies, request, { item, index, itemSchema, options }),
      ),
      caller: request.caller,
      deadlineAtMs: toDeadline(deadlineMs, options, request.receivedAtMs),
    });
    if (rate !== null) void reply.header('ratelimit', toRateField(rate));
    if (isDraining()) void reply.header('connection', 'close');
    observer.onBatch({ items: results.length, refused: results.filter(({ ok }) => !ok).length });
    return reply
      .header('cache-control', 'no-store')
      .send({ items: results.map((result) => toItemAnswer(dependencies, request, result)) });
  };
}

interface ItemAsked {
  readonly item: unknown;
  readonly index: number;
  readonly itemSchema: JsonSchema;
  readonly options: DecideOptions;
}

type DecisionAnswer = ReturnType<typeof toDecisionBody>;

interface ItemDecided {
  readonly answer: DecisionAnswer;
  readonly isReplayed: boolean;
}

/** As a request of its own; throws or rejects with what that would be refused with. */
async function decideItem(
  dependencies: DecideBatchDependencies,
  request: FastifyRequest<BatchRoute>,
  { item, index, itemSchema, options }: ItemAsked,
): Promise<ItemDecided> {
  checkItem(request, item, index, itemSchema);
  const { decide, isTest } = decideFor(request, dependencies);
  const shape = { explain: false, canReportOutcome: dependencies.canReportOutcome, isTest };
  const { 'idempotency-key': field } = request.headers;
  const callerId = request.caller?.id ?? '';
  const asking: Asking = { caller: callerId, entryPoint: ENTRY_POINT, requestId: request.id };
  const work = async (): Promise<DecisionAnswer> => {
    const { decision } = await decide(toSubject(item), options, asking);
    return toDecisionBody(decision, shape);
  };
  if (field === undefined) return { answer: await work(), isReplayed: false };
  const { max_age_ms, deadline_ms } = request.body;
  const content = toContent({ ...item, max_age_ms, deadline_ms }, shape);
  const { answer, isReplayed } = await dependencies.answerOnce(
    { callerId, field, content, item: index },
    async () => {
      const decided = await work();
      return { decisionId: decided.decision_id, body: JSON.stringify(decided) };
    },
  );
  // It was written above, by this version or another.
  return { answer: JSON.parse(answer.body) as DecisionAnswer, isReplayed };
}

/** Throws `invalid_request` with every mistake in the item. */
function checkItem(
  request: FastifyRequest,
  item: unknown,
  index: number,
  schema: JsonSchema,
): asserts item is BatchItem {
  const validate = request.compileValidationSchema(schema, 'body');
  if (validate(item) === true) return;
  const mistakes = toFieldErrors(validate.errors ?? [], true);
  throw new RiskgateError('invalid_request', 'An item of a batch is not valid.', {
    fields: mistakes.map(({ pointer, detail }) => ({ pointer: `/items/${index}${pointer}`, detail })),
  });
}

function toItemAnswer(
  { observer, logger }: DecideBatchDependencies,
  { id }: FastifyRequest,
  result: BatchResult<ItemDecided>,
) {
  if (result.ok) {
    const { answer, isReplayed } = result.value;
    return { status: 200, answer, ...(isReplayed && { idempotency_replayed: true }) };
  }
  // Whatever was thrown: what is not known is a defect of ours.
  const refusal = toRefusal(result.error as FastifyError);
  observer.onRefusal({ code: refusal.code });
  if (refusal.code === 'internal')
    logger.error({ event: 'request.failed', request_id: id, err: result.error }, 'a request failed');
  const retryAfterSeconds = retryAfterOf(refusal);
  return {
    status: statusOf(refusal.code),
    problem: toProblem(refusal.code, id, refusal),
    ...(retryAfterSeconds !== null && { retry_after_seconds: retryAfterSeconds }),
  };
}
