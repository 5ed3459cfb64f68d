import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Decide } from '../../application/decide.ts';
import type { DecisionObserver } from '../../application/ports.ts';
import type { Decision } from '../../domain/decision.ts';
import { requireScope } from '../plugins/authenticate.ts';
import {
  createDecideRequestSchema,
  createDecisionSchema,
  type DecideHeaders,
  type DecideRequest,
  decideHeadersSchema,
  decideQuerySchema,
  roundToTenth,
  toDecideOptions,
  toDecisionBody,
  toSubject,
} from '../schemas/decide.ts';
import { decideExamples, decisionExample } from '../schemas/examples.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** The `$id` under which the answer's schema is shared. */
const DECISION_ID = 'Decision';

const HEADERS = {
  ...REQUEST_ID_HEADER,
  'x-decision-id': { description: 'The `decision_id` of the answer.', type: 'string' },
  'server-timing': {
    description:
      'Milliseconds of the whole decision and of each provider, with where its evidence came from.',
    type: 'string',
  },
};

export interface DecideRouteOptions {
  readonly decide: Decide;
  readonly observer: DecisionObserver;
  /** All ids of the registry, and those of device APIs. */
  readonly providers: readonly string[];
  readonly deviceProviders: readonly string[];
  /** While draining, an answer asks the client to close its connection. */
  readonly isDraining: () => boolean;
}

interface DecideRoute {
  Body: DecideRequest;
  Headers: DecideHeaders;
  Querystring: { explain?: 'full' };
}

/** POST /v1/decide: 200 for all three verdicts. */
export function registerDecideRoute(app: FastifyInstance, options: DecideRouteOptions): void {
  const { decide, observer, isDraining } = options;
  const body = toJsonSchema(createDecideRequestSchema(options.deviceProviders), 'input');
  app.addSchema({
    $id: DECISION_ID,
    ...toJsonSchema(createDecisionSchema(options.providers), 'output'),
    examples: [decisionExample],
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
      ...problemResponses(400, 401, 403, 413, 415, 500, 503),
    },
  };
  app.post<DecideRoute>('/v1/decide', { schema, config: { scope: 'decide' } }, (request, reply) => {
    const explain = request.query.explain === 'full';
    if (explain) requireScope(request, 'read');
    const answer = (made: Decision): FastifyReply => {
      const { id: requestId, caller, body: asked } = request;
      observer.onDecision({
        decision: made,
        caller: caller?.id ?? '',
        requestId,
        action: asked.action ?? null,
      });
      if (isDraining()) void reply.header('connection', 'close');
      return sendDecision(reply, made, explain);
    };
    const limits = toDecideOptions(request.body, request.headers, request.caller?.id);
    const made = decide(toSubject(request.body), limits);
    // A warm decision is answered in place: a promise would cost it a turn of the event loop.
    if (!(made instanceof Promise)) return answer(made);
    return made.then(answer);
  });
}

function sendDecision(reply: FastifyReply, decision: Decision, explain: boolean): FastifyReply {
  return reply
    .headers({
      'x-decision-id': decision.id,
      'server-timing': toServerTiming(decision),
      'cache-control': 'no-store',
    })
    .send(toDecisionBody(decision, explain));
}

/** `Server-Timing` (W3C): the whole decision, and each provider with where its evidence came from. */
function toServerTiming({ latencyMs, evidence }: Decision): string {
  let timing = `decide;dur=${roundToTenth(latencyMs)}`;
  for (const use of evidence)
    timing += `, ${use.provider};desc=${use.origin};dur=${roundToTenth(use.latencyMs)}`;
  return timing;
}
