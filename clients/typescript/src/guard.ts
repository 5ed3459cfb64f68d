import type { RiskgateClient } from './client.ts';
import { toFailure } from './failure.ts';
import { toChallenge } from './read-answer.ts';
import type { Answer, CallOptions, Subject } from './wire.ts';

/** How a middleware gets from a request to a subject. */
export interface GuardOptions<Request> {
  /** Who the request is about. One that throws is a CHALLENGE. */
  readonly subject: (request: Request) => Subject | Promise<Subject>;
  /** Of the call, such as its `traceparent`. */
  readonly call?: (request: Request) => CallOptions;
}

/** Asks about a request. Never rejects. */
export async function askAbout<Request>(
  client: RiskgateClient,
  request: Request,
  { subject, call }: GuardOptions<Request>,
): Promise<Answer> {
  try {
    return await client.decideOrChallenge(await subject(request), call?.(request));
  } catch (error) {
    return toChallenge(toFailure(error));
  }
}

/** What a refused request is answered with (RFC 9457), without a word of why. */
export function toProblem({ verdict }: Answer): { readonly status: number; readonly body: string } {
  const isBlock = verdict === 'BLOCK';
  const status = isBlock ? 403 : 401;
  const title = isBlock ? 'Refused' : 'Another proof of identity is needed';
  const code = isBlock ? 'blocked' : 'step_up_required';
  return { status, body: JSON.stringify({ type: 'about:blank', title, status, code }) };
}

/** The media type of such answers. */
export const PROBLEM_TYPE = 'application/problem+json';
