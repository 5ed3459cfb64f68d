import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { RunBatch } from '../../application/batch/run-batch.ts';
import type { HoldToLimits, LimitedCaller } from '../../application/callers/hold-to-limits.ts';
import { type DecideOptions, toDeadline } from '../../application/decide.ts';
import { createSharedLooks } from '../../application/evidence/shared-looks.ts';
import type { OperationObserver } from '../../application/operation-observer.ts';
import type { Asking, SettledDecide, SettledDecision } from '../../application/settle-decision.ts';
import { type FieldError, RiskgateError } from '../../domain/errors.ts';
import { AUTHZEN_ENTRY_POINT } from '../../domain/subject.ts';
import { readEvaluation, withDefaults } from '../authzen/read-evaluation.ts';
import { evaluateInTurn, LAST_DECISION } from '../authzen/run-evaluations.ts';
import { toEvaluation, toMistakenEvaluation, toRefusedEvaluation } from '../authzen/to-evaluation.ts';
import { toRefusal } from '../refusal.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import {
  authzenConfigurationSchema,
  type Evaluation,
  type EvaluationsRequest,
  evaluationRequestSchema,
  evaluationSchema,
  evaluationsRequestSchema,
  evaluationsSchema,
} from '../schemas/authzen.ts';
import { type DecideHeaders, decideHeadersSchema, toDecideOptions } from '../schemas/decide.ts';
import { type JsonSchema, toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

const EVALUATION = '/access/v1/evaluation';
const EVALUATIONS = '/access/v1/evaluations';
const CONFIGURATION = '/.well-known/authzen-configuration';

/** What the requests of this group use. */
export interface AuthzenDependencies {
  readonly decide: SettledDecide;
  /** Every evaluation beside the first counts as one request more. */
  readonly holdToLimits: HoldToLimits;
  readonly runBatch: RunBatch;
  /** The configured deadline. */
  readonly deadlineMs: number;
  readonly observer: Pick<OperationObserver, 'onRefusal'>;
  readonly logger: Logger;
}

/** What says where to ask. */
export interface AuthzenConfigurationDependencies {
  /** Without a slash at the end. */
  readonly publicUrl: string;
}

/**
 * OpenID AuthZEN Authorization API 1.0: one question, and several. Not wrapped by fastify-plugin: what it
 * says of content types holds for these routes alone.
 */
export async function authzenRoutes(
  app: FastifyInstance,
  { serve }: RouteGroupOptions<AuthzenDependencies>,
): Promise<void> {
  answerWrongTypesAsTheStandardSays(app);
  const config = { scope: 'decide' } as const;
  app.post<{ Body: unknown }>(
    EVALUATION,
    { schema: EVALUATION_SCHEMA, config },
    handlerFor(
      serve,
      ({ decide }) =>
        (request, reply) =>
          sendOne(decide, request, reply),
    ),
  );
  app.post<{ Body: EvaluationsRequest }>(
    EVALUATIONS,
    { schema: EVALUATIONS_SCHEMA, config },
    handlerFor(serve, (dependencies) => async (request, reply) => {
      const { evaluations = [] } = request.body;
      if (evaluations.length === 0) return sendOne(dependencies.decide, request, reply);
      return send(reply, { evaluations: await answerAll(dependencies, request) });
    }),
  );
}

/** `/.well-known/authzen-configuration`, open to everyone: where to ask. */
export async function authzenConfigurationRoutes(
  app: FastifyInstance,
  { serve }: RouteGroupOptions<AuthzenConfigurationDependencies>,
): Promise<void> {
  const handler = handlerFor(serve, ({ publicUrl }) => {
    const body = {
      policy_decision_point: publicUrl,
      access_evaluation_endpoint: `${publicUrl}${EVALUATION}`,
      access_evaluations_endpoint: `${publicUrl}${EVALUATIONS}`,
    };
    return (_request: FastifyRequest, reply: FastifyReply) => send(reply, body);
  });
  app.get(CONFIGURATION, { schema: CONFIGURATION_SCHEMA }, handler);
  // Of a service below a path the well-known part comes before the path (RFC 8615 and 8414).
  const path = serve === null ? '' : new URL(serve.publicUrl).pathname;
  if (path.length > 1) app.get(`${CONFIGURATION}${path}`, { schema: { hide: true } }, handler);
}

/** 400, and not 415, for a body that is no `application/json`. */
function answerWrongTypesAsTheStandardSays(app: FastifyInstance): void {
  app.setErrorHandler((error) => {
    const isOfWrongType = Reflect.get(Object(error), 'statusCode') === 415;
    if (!isOfWrongType) throw error;
    throw new RiskgateError('invalid_request', 'A body of another type than JSON.', {
      publicDetail: 'Send JSON, with `Content-Type: application/json`.',
    });
  });
}

function sendOne(decide: SettledDecide, request: FastifyRequest, reply: FastifyReply) {
  const read = readEvaluation(request.body);
  if (!read.ok) throw mistaken(read.mistakes);
  const answer = ({ decision }: SettledDecision) => send(reply, toEvaluation(decision));
  const settled = decide(read.value, toOptions(request), toAsking(request));
  return settled instanceof Promise ? settled.then(answer) : answer(settled);
}

/** A mistake in one evaluation, or that one is refused, is no matter of the others. */
async function answerAll(
  dependencies: AuthzenDependencies,
  request: FastifyRequest<{ Body: EvaluationsRequest }>,
): Promise<Evaluation[]> {
  const { decide, holdToLimits, runBatch, deadlineMs } = dependencies;
  const { evaluations = [], options: wishes, ...defaults } = request.body;
  const { caller } = request;
  const options = { ...toOptions(request), looks: createSharedLooks() };
  const evaluate = async (item: unknown): Promise<Evaluation> => {
    const read = readEvaluation(withDefaults(item, defaults));
    if (!read.ok) return toMistakenEvaluation(read.mistakes);
    const { decision } = await decide(read.value, options, toAsking(request));
    return toEvaluation(decision);
  };
  const refuse = (error: unknown) => toRefused(dependencies, request, error);
  const last = LAST_DECISION[wishes?.evaluations_semantic ?? 'execute_all'];
  if (last !== null)
    return evaluateInTurn(evaluations, last, async (item, place) => {
      try {
        if (place > 0 && caller !== null) await countOneMore(holdToLimits, caller);
        return await evaluate(item);
      } catch (error) {
        return refuse(error);
      }
    });
  const { results } = await runBatch({
    items: evaluations.map((item) => () => evaluate(item)),
    caller,
    deadlineAtMs: toDeadline(deadlineMs, options, request.receivedAtMs),
  });
  return results.map((result) => (result.ok ? result.value : refuse(result.error)));
}

function toRefused(
  { observer, logger }: AuthzenDependencies,
  { id }: FastifyRequest,
  error: unknown,
): Evaluation {
  // Whatever was thrown: what is not known is a defect of ours.
  const refusal = toRefusal(error as FastifyError);
  observer.onRefusal({ code: refusal.code });
  if (refusal.code === 'internal')
    logger.error({ event: 'request.failed', request_id: id, err: error }, 'a request failed');
  return toRefusedEvaluation(refusal, id);
}

/** The request itself has been counted, and holds the place of all its evaluations. */
async function countOneMore(holdToLimits: HoldToLimits, { id, limits }: LimitedCaller): Promise<void> {
  const permit = await holdToLimits({ id, limits: limits && { ...limits, concurrent: null } });
  if (!permit.isGranted) throw new RiskgateError('rate_limited', 'More evaluations than the limits allow.');
}

function toOptions(request: FastifyRequest): DecideOptions {
  return toDecideOptions({}, request.headers as DecideHeaders, request);
}

function toAsking({ caller, id }: FastifyRequest): Asking {
  return { caller: caller?.id ?? '', entryPoint: AUTHZEN_ENTRY_POINT, requestId: id };
}

function send(reply: FastifyReply, body: object): FastifyReply {
  return reply.header('cache-control', 'no-store').send(body);
}

function mistaken(fields: readonly FieldError[]): RiskgateError {
  return new RiskgateError('invalid_request', 'An evaluation that cannot be read.', { fields });
}

const TAGS = ['gateways'];
const ERRORS = problemResponses(400, 401, 403, 413, 429, 500, 503);
const HEADERS = toJsonSchema(decideHeadersSchema.omit({ 'idempotency-key': true }), 'input');

const answered = (description: string, schema: JsonSchema) => ({
  200: { description, headers: REQUEST_ID_HEADER, ...schema },
});

const EVALUATION_SCHEMA = {
  summary: 'AuthZEN: may this account do that with this device?',
  description:
    'OpenID AuthZEN Authorization API 1.0. The subject is the account, the resource the device. `decision` is true for ALLOW alone; a CHALLENGE is false with `acr_values` in its context.',
  operationId: 'authzenEvaluation',
  tags: TAGS,
  headers: HEADERS,
  body: toJsonSchema(evaluationRequestSchema, 'input'),
  response: {
    ...answered('A decision, whichever it is.', toJsonSchema(evaluationSchema, 'output')),
    ...ERRORS,
  },
};

const EVALUATIONS_SCHEMA = {
  summary: 'AuthZEN: several questions in one request',
  description:
    'At most 50, under the one deadline of the request. Each is a decision of its own, with a record of its own, and counts as one request. One that is not valid, or is refused, is answered `decision: false` with an `error` in its context.',
  operationId: 'authzenEvaluations',
  tags: TAGS,
  headers: HEADERS,
  body: toJsonSchema(evaluationsRequestSchema, 'input'),
  response: { ...answered('The answers.', toJsonSchema(evaluationsSchema, 'output')), ...ERRORS },
};

const CONFIGURATION_SCHEMA = {
  summary: 'AuthZEN: where to ask',
  description: 'Is there where `PUBLIC_URL` is set.',
  operationId: 'authzenConfiguration',
  tags: TAGS,
  security: [],
  response: {
    ...answered('The metadata.', toJsonSchema(authzenConfigurationSchema, 'output')),
    ...problemResponses(400),
  },
};
