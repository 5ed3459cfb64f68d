import type { RiskgateClient } from './client.ts';
import { askAbout, type GuardOptions, PROBLEM_TYPE, toProblem } from './guard.ts';
import type { Answer } from './wire.ts';

/** What is answered to a request that is not let through. */
export interface NextOptions<R extends Request> extends GuardOptions<R> {
  /** Instead of a 401, such as a redirect to the step-up. */
  readonly onChallenge?: (request: R, answer: Answer) => Response | Promise<Response>;
  /** Instead of a 403. */
  readonly onBlock?: (request: R, answer: Answer) => Response | Promise<Response>;
}

/**
 * For `middleware.ts` of Next, and whatever else speaks Request and Response: undefined for an ALLOW, which
 * lets the request through, and a response for anything else.
 */
export function riskgateNext<R extends Request>(
  client: RiskgateClient,
  options: NextOptions<R>,
): (request: R) => Promise<Response | undefined> {
  return async (request) => {
    const answer = await askAbout(client, request, options);
    if (answer.verdict === 'ALLOW') return undefined;
    const handle = answer.verdict === 'BLOCK' ? options.onBlock : options.onChallenge;
    if (handle) return handle(request, answer);
    const { status, body } = toProblem(answer);
    return new Response(body, { status, headers: { 'content-type': PROBLEM_TYPE } });
  };
}
