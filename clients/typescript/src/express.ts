import type { RiskgateClient } from './client.ts';
import { askAbout, type GuardOptions, PROBLEM_TYPE, toProblem } from './guard.ts';
import type { Answer } from './wire.ts';

interface ExpressResponse {
  status(code: number): this;
  type(mediaType: string): this;
  send(body: string): unknown;
  locals: Record<string, unknown>;
}

type Next = (error?: unknown) => void;

/** What an Express app does with an answer that is no ALLOW. */
export interface ExpressOptions<Request, Response> extends GuardOptions<Request> {
  /** Instead of a 401: send your user to the step-up. */
  readonly onChallenge?: (request: Request, response: Response, answer: Answer) => void;
  /** Instead of a 403. */
  readonly onBlock?: (request: Request, response: Response, answer: Answer) => void;
}

/** Middleware: lets an ALLOW through and nothing else. The answer is in `response.locals.riskgate`. */
export function riskgateExpress<Request, Response extends ExpressResponse>(
  client: RiskgateClient,
  options: ExpressOptions<Request, Response>,
): (request: Request, response: Response, next: Next) => Promise<void> {
  return async (request, response, next) => {
    const answer = await askAbout(client, request, options);
    response.locals['riskgate'] = answer;
    if (answer.verdict === 'ALLOW') {
      next();
      return;
    }
    const handle = answer.verdict === 'BLOCK' ? options.onBlock : options.onChallenge;
    try {
      if (handle) handle(request, response, answer);
      else {
        const { status, body } = toProblem(answer);
        response.status(status).type(PROBLEM_TYPE).send(body);
      }
    } catch (error) {
      // To the app's handler of errors, and not on to the route.
      next(error ?? new Error('The handler of a refusal failed.'));
    }
  };
}
