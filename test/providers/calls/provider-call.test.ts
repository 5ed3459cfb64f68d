import t from 'tap';
import type {
  FailedAnswer,
  ProviderAnswer,
  SettledAnswer,
} from '../../../src/application/evidence/provider-answer.ts';
import type { HttpClient, HttpResponse, HttpResult } from '../../../src/platform/http-client.ts';
import { callProvider, type ProviderCall } from '../../../src/providers/calls/provider-call.ts';

const OK: SettledAnswer = {
  outcome: 'ok',
  signals: { found: true },
  upstreamRequestId: 'request-1',
  validUntilMs: null,
};
const response = (status: number): HttpResult => ({
  kind: 'response',
  response: { status, headers: {}, body: '' },
});

function failed(changes: Partial<FailedAnswer> = {}): FailedAnswer {
  return {
    outcome: 'unavailable',
    failure: 'http_503',
    upstreamRequestId: null,
    isRetryable: true,
    retryAfterMs: null,
    ...changes,
  };
}

/** A client that gives these results in turn, and notes the budgets it was given. */
function createClient(results: readonly HttpResult[]): HttpClient & { readonly budgetsMs: number[] } {
  const budgetsMs: number[] = [];
  return {
    budgetsMs,
    exchange: async (_request, budgetMs) => {
      const result = results[budgetsMs.length];
      budgetsMs.push(budgetMs);
      if (result === undefined) throw new Error('one call too many');
      return result;
    },
    close: async () => {},
  };
}

/** Calls with answers by status: 200 is settled, everything else fails as given. */
async function call(results: readonly HttpResult[], failure = failed(), changes: Partial<ProviderCall> = {}) {
  const client = createClient(results);
  const toAnswer = ({ status }: HttpResponse): ProviderAnswer => (status === 200 ? OK : failure);
  const result = await callProvider({
    client,
    request: { method: 'GET', path: '/', headers: {} },
    toAnswer,
    budgetMs: 5_000,
    monotonicMs: () => performance.now(),
    random: () => 0,
    ...changes,
  });
  return { ...result, budgetsMs: client.budgetsMs };
}

t.test('makes one call where it is answered', async (t) => {
  const { answer, attempts, budgetsMs } = await call([response(200)]);
  t.strictSame(answer, OK);
  t.equal(attempts, 1);
  t.strictSame(budgetsMs, [5_000]);
});

t.test('tries once more where the first failure is transient', async (t) => {
  const { answer, attempts } = await call([response(503), response(200)]);
  t.strictSame(answer, OK);
  t.equal(attempts, 2);
});

t.test('tries no third time', async (t) => {
  const { answer, attempts } = await call([response(503), response(503), response(200)]);
  t.strictSame(answer, failed());
  t.equal(attempts, 2);
});

t.test('gives the second attempt only what is left of the budget', async (t) => {
  const { budgetsMs } = await call([response(503), response(200)], failed({ retryAfterMs: 30 }));
  t.ok((budgetsMs[1] ?? Number.POSITIVE_INFINITY) <= 4_971, `${budgetsMs[1]}`);
});

t.test('tries once only where the failure will not pass', async (t) => {
  const failure = failed({ outcome: 'unauthorized', failure: 'http_401', isRetryable: false });
  const { answer, attempts } = await call([response(401), response(200)], failure);
  t.strictSame(answer, failure);
  t.equal(attempts, 1);
});

t.test('does not wait for a Retry-After beyond the budget', async (t) => {
  for (const retryAfterMs of [4_981, 5_000, 3_600_000, Number.MAX_SAFE_INTEGER]) {
    const failure = failed({ outcome: 'rate_limited', retryAfterMs });
    const { answer, attempts } = await call([response(429), response(200)], failure);
    t.equal(answer.outcome, 'rate_limited', `${retryAfterMs}`);
    t.equal(attempts, 1);
  }
});

t.test('waits for a Retry-After inside the budget, and for none of 0', async (t) => {
  for (const retryAfterMs of [0, 25]) {
    const startedAtMs = performance.now();
    const { attempts } = await call([response(429), response(200)], failed({ retryAfterMs }));
    t.equal(attempts, 2);
    t.ok(performance.now() - startedAtMs >= retryAfterMs - 1);
  }
});

t.test('does not begin what cannot end in time', async (t) => {
  for (const [budgetMs, attempts] of [
    [30, 1],
    [1_000, 2],
  ] as const) {
    const result = await call([response(503), response(200)], failed(), { budgetMs });
    t.equal(result.attempts, attempts, `${budgetMs} ms`);
  }
});

t.test('spreads retries of many callers by jitter', async (t) => {
  const pauses: number[] = [];
  for (const random of [0, 0.999]) {
    const startedAtMs = performance.now();
    await call([response(503), response(200)], failed(), { random: () => random });
    pauses.push(performance.now() - startedAtMs);
  }
  const [short = 0, long = 0] = pauses;
  t.ok(short >= 14, `${short} ms`);
  t.ok(long >= 58, `${long} ms`);
});

/** Transport results, the outcome they come to, and how often the call is made. */
const TRANSPORT: readonly (readonly [HttpResult, string, string, number])[] = [
  [{ kind: 'timeout' }, 'timeout', 'timeout', 1],
  [{ kind: 'oversized' }, 'malformed', 'oversized', 1],
  [{ kind: 'failed', code: 'ECONNRESET' }, 'unavailable', 'econnreset', 2],
  [{ kind: 'failed', code: 'EPIPE' }, 'unavailable', 'epipe', 2],
  [{ kind: 'failed', code: 'UND_ERR_SOCKET' }, 'unavailable', 'und_err_socket', 2],
  [{ kind: 'failed', code: 'ECONNREFUSED' }, 'unavailable', 'econnrefused', 1],
  [{ kind: 'failed', code: 'ENOTFOUND' }, 'unavailable', 'enotfound', 1],
  [{ kind: 'failed', code: 'POOL_SATURATED' }, 'unavailable', 'pool_saturated', 1],
  [{ kind: 'failed', code: 'HPE_INVALID_CONSTANT' }, 'unavailable', 'hpe_invalid_constant', 1],
];

for (const [result, outcome, failure, attempts] of TRANSPORT) {
  t.test(`takes ${JSON.stringify(result)} for ${outcome}, after ${attempts} calls`, async (t) => {
    const { answer, attempts: made } = await call([result, result, response(200)]);
    t.match(answer, { outcome, failure, upstreamRequestId: null });
    t.equal(made, attempts);
  });
}

t.test('takes the answer that follows a reset', async (t) => {
  const { answer, attempts } = await call([{ kind: 'failed', code: 'ECONNRESET' }, response(200)]);
  t.strictSame(answer, OK);
  t.equal(attempts, 2);
});
