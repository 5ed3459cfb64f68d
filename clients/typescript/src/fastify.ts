import type { RiskgateClient } from './client.ts';
import { askAbout, type GuardOptions, PROBLEM_TYPE, toProblem } from './guard.ts';
import type { Answer } from './wire.ts';

interface FastifyReplyLike {
  code(status: number): this;
  type(mediaType: string): this;
  send(body: string): unknown;
}

/** What a Fastify app does with an answer that is no ALLOW. */
export interface FastifyOptions<Request, Reply> extends GuardOptions<Request> {
  /** Sends what stands in place of a 401. */
  readonly onChallenge?: (request: Request, reply: Reply, answer: Answer) => unknown;
  /** Sends what stands in place of a 403. */
  readonly onBlock?: (request: Request, reply: Reply, answer: Answer) => unknown;
}

/**
 * A `preHandler` hook: lets an ALLOW through and nothing else. `answers.get(request)` is the answer, for as
 * long as the request lives.
 */
export function riskgateFastify<Request extends object, Reply extends FastifyReplyLike>(
  client: RiskgateClient,
  options: FastifyOptions<Request, Reply>,
) {
  const answers = new WeakMap<Request, Answer>();
  const preHandler = async (request: Request, reply: Reply): Promise<unknown> => {
    const answer = await askAbout(client, request, options);
    answers.set(request, answer);
    if (answer.verdict === 'ALLOW') return undefined;
    const handle = answer.verdict === 'BLOCK' ? options.onBlock : options.onChallenge;
    if (handle) {
      await handle(request, reply, answer);
      return reply;
    }
    const { status, body } = toProblem(answer);
    return reply.code(status).type(PROBLEM_TYPE).send(body);
  };
  return Object.assign(preHandler, { answers });
}
