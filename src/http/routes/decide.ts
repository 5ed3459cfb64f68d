import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { StoredAnswer } from '../../application/callers/idempotency-store.ts';
import type { Asking, SettledDecide, SettledDecision } from '../../application/settle-decision.ts';
import type { Decision } from '../../domain/decision.ts';
import { isTestCaller } from '../callers/api-keys.ts';
import type { AnswerOnce, IdempotentAnswer } from '../callers/idempotency.ts';
import { requireScope } from '../plugins/authenticate.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import {
  type AnswerShape,
  createDecideRequestSchema,
  createDecisionSchema,
  type DecideHeaders,
  type DecideRequest,
  decideHeadersSchema,
  decideQuerySchema,
  decideResponseHeaders,
  roundToTenth,
  toContent,
  toDecideOptions,
  toDecisionBody,
} from '../schemas/decide.ts';
import { createDecisionExample, decideExamples } from '../schemas/examples.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER, sentText } from '../schemas/responses.ts';
import { toSubject } from '../schemas/subject.ts';

/** The entry point of a caller that asks in our own words. */
export const ENTRY_POINT = 'decide';

/** The `$id` under which the answer's schema is shared. */
export const DECISION_ID = 'Decision';

const HEADERS = {
  ...REQUEST_ID_HEADER,
  'x-decision-id': sentText('The `decision_id` of the answer.'),
  'server-timing': {
    description:
      'Milliseconds of the whole decision and of each provider, with where its evidence came from.',
    type: 'string',
  },
  ...decideResponseHeaders,
};

/** What the requests of this group use. */
export interface DecideDependencies {
  readonly decide: SettledDecide;
  /** What answers test keys. What it decides is not recorded, counted or remembered. */
  readonly decideTestId: SettledDecide;
  /** While draining, an answer asks the client to close its connection. */
  readonly isDraining: () => boolean;
  readonly answerOnce: AnswerOnce;
  /** Whether outcomes are told by the id of a decision; else by its ids, as step-ups. */
  readonly canReportOutcome: boolean;
}

interface DecideRoutesOptions extends RouteGroupOptions<DecideDependencies> {
  /** All of the registry. */
  readonly providers: readonly { readonly id: string; readonly subject: string }[];
}

interface DecideRoute {
  Body: DecideRequest;
  Headers: DecideHeaders;
  Querystring: { explain?: 'full' };
}

/** POST /v1/decide: 200 for all three verdicts. */
export const decideRoutes = plugin<DecideRoutesOptions>(
  async (app, { serve, providers }) => {
    const deviceProviders = providers.filter(({ subject }) => subject === 'device_id').map(({ id }) => id);
    const body = toJsonSchema(createDecideRequestSchema(deviceProviders), 'input');
    app.addSchema({
      $id: DECISION_ID,
      ...toJsonSchema(createDecisionSchema(providers.map(({ id }) => id)), 'output'),
      examples: [createDecisionExample(providers)],
    });
    const schema = {
      summary: 'Decide: ALLOW, CHALLENGE or BLOCK',
      description:
        'Looks the telemetry id up at Stytch and the device at the device APIs, in parallel and inside one deadline, and weighs the evidence by the policy. An upstream outage is a degraded decision, never an error.',
      operationId: 'decide',
      tags: ['decisions'],
      body: { ...body, examples: decideExamples },
      querystring: toJsonSchema(decideQuerySchema, 'input'),
      headers: toJsonSchema(decideHeadersSchema, 'input'),
      response: {
        200: { description: 'A decision, whichever it is.', headers: HEADERS, $ref: `${DECISION_ID}#` },
        ...problemResponses(400, 401, 403, 409, 413, 415, 422, 429, 500, 503),
      },
    };
    app.post<DecideRoute>(
      '/v1/decide',
      { schema, config: { scope: 'decide', takesTestKeys: true } },
      handlerFor(serve, createDecideHandler),
    );
  },
  { name: 'decide-routes' },
);

function createDecideHandler(dependencies: DecideDependencies) {
  const { isDraining, answerOnce, canReportOutcome } = dependencies;
  /** Asked when the answer is there: draining may have begun while it was sought. */
  const closeWhenDraining = (reply: FastifyReply): FastifyReply =>
    isDraining() ? reply.header('connection', 'close') : reply;
  return (request: FastifyRequest<DecideRoute>, reply: FastifyReply) => {
    const explain = request.query.explain === 'full';
    const { decide, isTest } = decideFor(request, dependencies);
    const shape = { explain, canReportOutcome, isTest };
    if (explain) requireScope(request, 'read');
    const subject = toSubject(request.body);
    const limits = toDecideOptions(request.body, request.headers, request);
    const callerId = request.caller?.id ?? '';
    const asking: Asking = { caller: callerId, entryPoint: ENTRY_POINT, requestId: request.id };
    const field = request.headers['idempotency-key'];
    if (field !== undefined) {
      const content = toContent(request.body, shape);
      const work = async () => toStoredAnswer(reply, await decide(subject, limits, asking), shape);
      return answerOnce({ callerId, field, content }, work).then((once) =>
        sendAnswer(closeWhenDraining(reply), once),
      );
    }
    const settled = decide(subject, limits, asking);
    // A warm decision is answered in place: a promise would cost it a turn of the event loop.
    if (!(settled instanceof Promise)) return sendDecision(closeWhenDraining(reply), settled, shape);
    return settled.then((late) => sendDecision(closeWhenDraining(reply), late, shape));
  };
}

/** What decides for the caller: test keys never reach the use case of real decisions. */
export function decideFor(
  { caller }: Pick<FastifyRequest, 'caller'>,
  { decide, decideTestId }: Pick<DecideDependencies, 'decide' | 'decideTestId'>,
): { readonly decide: SettledDecide; readonly isTest: boolean } {
  const isTest = caller !== null && isTestCaller(caller);
  return { decide: isTest ? decideTestId : decide, isTest };
}

function sendDecision(reply: FastifyReply, { decision }: SettledDecision, shape: AnswerShape): FastifyReply {
  return reply
    .headers({
      'x-decision-id': decision.id,
      'server-timing': toServerTiming(decision),
      'cache-control': 'no-store',
    })
    .send(toDecisionBody(decision, shape));
}

function toStoredAnswer(
  reply: FastifyReply,
  { decision }: SettledDecision,
  shape: AnswerShape,
): StoredAnswer {
  void reply.header('server-timing', toServerTiming(decision));
  const serialised = reply.code(200).serialize(toDecisionBody(decision, shape));
  // A serialiser may write bytes; that of a JSON schema writes text.
  const body = typeof serialised === 'string' ? serialised : new TextDecoder().decode(serialised);
  return { decisionId: decision.id, body };
}

function sendAnswer(reply: FastifyReply, { answer, isReplayed }: IdempotentAnswer): FastifyReply {
  if (isReplayed) void reply.header('idempotency-replayed', 'true');
  return reply
    .headers({ 'x-decision-id': answer.decisionId, 'cache-control': 'no-store' })
    .type('application/json; charset=utf-8')
    .send(answer.body);
}

/** `Server-Timing` (W3C): the whole decision, and each provider with where its evidence came from. */
function toServerTiming({ latencyMs, evidence }: Decision): string {
  let timing = `decide;dur=${roundToTenth(latencyMs)}`;
  for (const use of evidence)
    timing += `, ${use.provider};desc=${use.origin};dur=${roundToTenth(use.latencyMs)}`;
  return timing;
}
