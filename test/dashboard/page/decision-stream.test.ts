import t from 'tap';
import { ApiError, createApiClient } from '../../../src/dashboard/page/api-client.ts';
import { followDecisions, type StreamState } from '../../../src/dashboard/page/decision-stream.ts';
import { createRow } from './rows.ts';

interface Call {
  readonly url: string;
  readonly headers: Headers;
}

/** A client whose answers are given one after the other; the last one is repeated. */
function createClient(answers: readonly (() => Response)[]) {
  const calls: Call[] = [];
  const fetchNow = async (url: unknown, options?: RequestInit): Promise<Response> => {
    calls.push({ url: String(url), headers: new Headers(options?.headers) });
    const answer = answers[Math.min(calls.length, answers.length) - 1];
    if (answer === undefined) throw new TypeError('Failed to fetch');
    return answer();
  };
  return { calls, client: createApiClient('a-key', fetchNow as typeof fetch) };
}

function eventOf(id: number, event: string, data: object): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

const ready = (id: number, resumed: boolean) => eventOf(id, 'ready', { resumed, heartbeat_seconds: 15 });
const problem = (status: number) => () => Response.json({ title: 'refused', detail: 'why' }, { status });

/** Follows until `done` says so, and tells what was heard. */
async function follow(answers: readonly (() => Response)[], done: (heard: readonly unknown[]) => boolean) {
  const { calls, client } = createClient(answers);
  const ending = new AbortController();
  const heard: unknown[] = [];
  const states: StreamState[] = [];
  const hear = (what: unknown) => {
    heard.push(what);
    if (done(heard)) ending.abort();
  };
  await followDecisions(
    client,
    { decision: 'BLOCK' },
    {
      onDecision: ({ decision_id: id }) => hear(id),
      onGap: ({ cause }) => hear(cause),
      onReady: (resumed) => hear(resumed),
      onRefused: ({ status }) => hear(status),
      onState: (state) => states.push(state),
    },
    ending.signal,
  );
  return { calls, heard, states };
}

t.test('comes back after the last event that it has seen', async (t) => {
  const { calls, heard, states } = await follow(
    [
      () =>
        new Response(ready(1, false) + eventOf(2, 'decision', createRow('a')) + eventOf(3, 'heartbeat', {})),
      problem(503),
      () => new Response(ready(3, true) + eventOf(4, 'decision', createRow('b'))),
    ],
    (heard) => heard.includes('b'),
  );
  t.strictSame(heard, [false, 'a', true, 'b']);
  t.strictSame(
    calls.map(({ headers }) => headers.get('last-event-id')),
    [null, '3', '3'],
  );
  t.strictSame(states, ['connecting', 'live', 'lost', 'lost', 'live']);
});

t.test('sends the key in a header, and never in the address', async (t) => {
  const { calls } = await follow([() => new Response(ready(1, false))], (heard) => heard.length > 0);
  t.match(calls, [{ url: 'v1/decisions/stream?decision=BLOCK' }]);
  t.equal(calls[0]?.headers.get('authorization'), 'Bearer a-key');
});

t.test('starts over where its place is not understood any more, and tells of gaps', async (t) => {
  const { calls, heard } = await follow(
    [
      () => new Response(ready(1, false)),
      problem(400),
      () => new Response(ready(1, false) + eventOf(2, 'gap', { cause: 'dropped', dropped: 3 })),
    ],
    (heard) => heard.includes('dropped'),
  );
  t.strictSame(heard, [false, false, 'dropped']);
  t.equal(calls[2]?.headers.get('last-event-id'), null);
});

for (const status of [401, 403]) {
  t.test(`ends for good when the key is refused with ${status}`, async (t) => {
    const { calls, heard } = await follow([problem(status)], () => false);
    t.strictSame(heard, [status]);
    t.equal(calls.length, 1);
  });
}

t.test('a failed answer says why, and when to come back', async (t) => {
  const refused = () =>
    Response.json(
      { title: 'Too many requests', detail: 'Slow down.' },
      { status: 429, headers: { 'retry-after': '7' } },
    );
  const { client } = createClient([refused]);
  await t.rejects(client.get('v1/stats'), new ApiError(429, 'Slow down.', 7000));
  await t.rejects(createClient([]).client.get('v1/stats'), new ApiError(0, 'Failed to fetch'));
});
