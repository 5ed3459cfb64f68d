import { RiskgateFailure } from './failure.ts';
import type { Answer, Decision, Verdict } from './wire.ts';

const VERDICTS: readonly string[] = ['ALLOW', 'CHALLENGE', 'BLOCK'] satisfies readonly Verdict[];

/** A decision, checked as far as it is relied on. Throws what it is instead. */
export function readDecision(body: unknown, acceptTestAnswers: boolean): Decision {
  if (!isObject(body) || typeof body['decision'] !== 'string') throw malformed('The answer is no decision.');
  const { decision, decision_id: id, reasons, degraded, mode } = body;
  if (!VERDICTS.includes(decision as string))
    throw new RiskgateFailure('unknown_verdict', 'The verdict is not known to this client.');
  if (typeof id !== 'string' || id === '' || !Array.isArray(reasons) || typeof degraded !== 'boolean')
    throw malformed('The answer is half a decision.');
  if (mode !== undefined && !(mode === 'test' && acceptTestAnswers))
    throw new RiskgateFailure('test_answer', 'The answer is to a test id, and means nothing.');
  // The members that are relied on were checked; the others are as the service describes them.
  return body as unknown as Decision;
}

/** The entries of a batch of `count` subjects. Throws where they are not as many. */
export function readBatch(body: unknown, count: number, acceptTestAnswers: boolean): readonly Answer[] {
  const items = isObject(body) ? body['items'] : null;
  if (!Array.isArray(items) || items.length !== count) throw malformed('The answer is no batch.');
  return items.map((item: unknown) => {
    try {
      if (isObject(item) && item['status'] === 200)
        return toAnswer(readDecision(item['answer'], acceptTestAnswers));
      if (!isObject(item) || typeof item['status'] !== 'number') throw malformed('An entry is no answer.');
      const { retry_after_seconds: seconds } = item;
      const retryAfterMs = typeof seconds === 'number' ? seconds * 1000 : null;
      throw refusal(item['status'], item['problem'], retryAfterMs);
    } catch (error) {
      return toChallenge(error as RiskgateFailure);
    }
  });
}

/** What a status other than 200 says, by its problem document where it has one. */
export function refusal(status: number, problem: unknown, retryAfterMs: number | null): RiskgateFailure {
  const { code, request_id: requestId } = isObject(problem) ? problem : {};
  const known = typeof code === 'string' ? code : null;
  return new RiskgateFailure(
    'refused',
    `The service answered ${status}${known === null ? '' : ` ${known}`}.`,
    {
      status,
      code: known,
      requestId: typeof requestId === 'string' ? requestId : null,
      retryAfterMs,
    },
  );
}

/** The answer that a decision is. */
export function toAnswer(decision: Decision): Answer {
  return { verdict: decision.decision, decision, failure: null };
}

/** The answer that any failure is. */
export function toChallenge(failure: RiskgateFailure): Answer {
  return { verdict: 'CHALLENGE', decision: null, failure };
}

function malformed(message: string): RiskgateFailure {
  return new RiskgateFailure('malformed', message);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
