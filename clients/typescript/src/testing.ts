import { createClient, type RiskgateClient } from './client.ts';
import type { ClientOptions, Subject, Verdict } from './wire.ts';

/** What the fake does instead of a decision. A number is a status, with a problem document. */
export type FakeFailure = 'network' | 'timeout' | 'malformed' | number;

/** A request that the fake got. */
export interface FakeRequest {
  readonly path: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Stands in for the service in tests of your own code, in the same process. */
export interface FakeRiskgate {
  /** A client that asks the fake. */
  readonly client: RiskgateClient;
  /** For a client of your own making: the service as a `fetch`. */
  readonly fetch: typeof fetch;
  /** Everything that was asked so far. */
  readonly requests: readonly FakeRequest[];
  /** From now on this is the answer: a verdict, or one for each subject. */
  answer(verdict: Verdict | ((subject: Subject) => Verdict)): void;
  /** The next so many attempts fail. A client tries again after most failures. */
  fail(failure: FakeFailure, attempts?: number): void;
}

/** Builds a fake that answers ALLOW. */
export function createFakeRiskgate(options: Partial<Omit<ClientOptions, 'fetch'>> = {}): FakeRiskgate {
  const requests: FakeRequest[] = [];
  let verdictOf: (subject: Subject) => Verdict = () => 'ALLOW';
  const failures: FakeFailure[] = [];
  const answerTo = (path: string, body: Record<string, unknown>): unknown => {
    if (path.endsWith('/v1/decide')) return toDecision(verdictOf(body as Subject));
    if (path.endsWith('/v1/decide/batch')) {
      const items = body['items'] as readonly Subject[];
      return { items: items.map((subject) => ({ status: 200, answer: toDecision(verdictOf(subject)) })) };
    }
    if (path.endsWith('/v1/events')) return { counted: (body['events'] as unknown[]).length, repeated: 0 };
    return { decision_id: path.split('/').at(-2), label: body['label'], labels: [] };
  };
  const fakeFetch = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const path = new URL(String(input)).pathname;
    const body = JSON.parse(String(init.body)) as Record<string, unknown>;
    requests.push({ path, headers: new Headers(init.headers), body });
    const failure = failures.shift();
    if (failure === undefined) return json(200, answerTo(path, body));
    if (failure === 'network') throw new TypeError('fetch failed');
    if (failure === 'malformed') return json(200, { decision: null });
    if (failure === 'timeout') return untilAborted(init.signal);
    return json(failure, {
      type: 'about:blank',
      status: failure,
      title: 'Fake',
      code: 'fake',
      request_id: 'fake',
    });
  };
  const client = createClient({
    url: 'http://riskgate.fake',
    apiKey: 'fake',
    ...options,
    fetch: fakeFetch as typeof fetch,
  });
  return {
    client,
    fetch: fakeFetch as typeof fetch,
    requests,
    answer: (verdict) => {
      verdictOf = typeof verdict === 'function' ? verdict : () => verdict;
    },
    fail: (failure, attempts = 1) => {
      for (let left = attempts; left > 0; left -= 1) failures.push(failure);
    },
  };
}

function toDecision(verdict: Verdict) {
  const now = new Date().toISOString();
  return {
    decision_id: crypto.randomUUID(),
    decision: verdict,
    reasons:
      verdict === 'ALLOW' ? [] : [{ code: 'FAKE', rule: 'fake', verdict, providers: [], certain: true }],
    degraded: false,
    waivers: [],
    providers: {},
    policy: { id: 'fake', hash: 'sha256:fake' },
    decided_at: now,
    expires_at: now,
  };
}

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}

function untilAborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')), {
      once: true,
    });
  });
}
