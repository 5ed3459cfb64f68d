import { RiskgateFailure, toFailure } from './failure.ts';
import { readBatch, readDecision, toAnswer, toChallenge } from './read-answer.ts';
import { send } from './send.ts';
import type { Answer, CallOptions, ClientOptions, Decision, Outcome, RiskEvent, Subject } from './wire.ts';

/** The most subjects in one request. */
const BATCH_MAX = 50;

/** Asks one riskgate. It keeps no state, and may be shared by everything in a process. */
export interface RiskgateClient {
  /** A decision. Rejects with a RiskgateFailure: whoever calls this must not take that for an ALLOW. */
  decide(subject: Subject, options?: CallOptions): Promise<Decision>;
  /** What to do. Never rejects: without a decision, whatever the reason, it is CHALLENGE. */
  decideOrChallenge(subject: Subject, options?: CallOptions): Promise<Answer>;
  /** What to do about each subject, in their order; by fifty in a request. Never rejects, as above. */
  decideBatch(subjects: readonly Subject[], options?: CallOptions): Promise<readonly Answer[]>;
  /** Says what a decision turned out to be. Repeatable. Rejects with a RiskgateFailure. */
  reportOutcome(decisionId: string, outcome: Outcome, options?: CallOptions): Promise<void>;
  /** Says what happened outside decisions, up to a hundred events. Repeatable. Rejects with a RiskgateFailure. */
  events(events: readonly RiskEvent[], options?: CallOptions): Promise<void>;
}

/** Builds a client. Throws a TypeError when the URL or the key cannot be one: better now than at a login. */
export function createClient(options: ClientOptions): RiskgateClient {
  const { protocol } = new URL(options.url);
  if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError('The URL must be http or https.');
  if (!/^[\x21-\x7e]+$/.test(options.apiKey))
    throw new TypeError('The API key is empty, or no header can hold it.');
  const acceptsTests = options.acceptTestAnswers === true;

  const post = async (
    path: string,
    body: object,
    asks: boolean,
    call: CallOptions = {},
  ): Promise<unknown> => {
    try {
      return await send(options, { path, body, asks, options: call });
    } catch (error) {
      throw toFailure(error);
    }
  };
  const ask = (path: string, body: object, call?: CallOptions) =>
    post(path, { ...body, ...(call?.maxAgeMs !== undefined && { max_age_ms: call.maxAgeMs }) }, true, call);
  const decide = async (subject: Subject, call?: CallOptions): Promise<Decision> =>
    readDecision(await ask('/v1/decide', subject, call), acceptsTests);
  const decideSome = async (subjects: readonly Subject[], call?: CallOptions): Promise<readonly Answer[]> => {
    try {
      const body = await ask('/v1/decide/batch', { items: subjects }, call);
      return readBatch(body, subjects.length, acceptsTests);
    } catch (error) {
      return subjects.map(() => toChallenge(toFailure(error)));
    }
  };
  return {
    decide,
    decideOrChallenge: async (subject, call) => {
      try {
        return toAnswer(await decide(subject, call));
      } catch (error) {
        return toChallenge(toFailure(error));
      }
    },
    decideBatch: async (subjects, call) => {
      const { idempotencyKey } = call ?? {};
      const parts: Promise<readonly Answer[]>[] = [];
      for (let from = 0; from < subjects.length; from += BATCH_MAX) {
        // Places of one request are told apart by its key.
        const own = idempotencyKey && from > 0 ? { idempotencyKey: `${idempotencyKey}.${from}` } : {};
        parts.push(decideSome(subjects.slice(from, from + BATCH_MAX), { ...call, ...own }));
      }
      return (await Promise.all(parts)).flat();
    },
    reportOutcome: async (decisionId, outcome, call) => {
      if (decisionId === '') throw new RiskgateFailure('invalid', 'A decision id is needed.');
      // With its time a repeat changes nothing.
      const body = { at: new Date().toISOString(), ...outcome };
      await post(`/v1/decisions/${encodeURIComponent(decisionId)}/outcome`, body, false, call);
    },
    events: async (events, call) => {
      await post('/v1/events', { events }, false, call);
    },
  };
}
