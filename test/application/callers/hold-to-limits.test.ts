import t from 'tap';
import { createConcurrentRequests } from '../../../src/application/callers/concurrent-requests.ts';
import { type CallerLimits, createHoldToLimits } from '../../../src/application/callers/hold-to-limits.ts';
import type { RequestCounter } from '../../../src/application/callers/request-counter.ts';
import { createMemoryRequestCounter } from '../../../src/stores/callers/memory-counter.ts';
import { createManualClock } from '../../support/test-app.ts';

const LIMITS: CallerLimits = { rate: { requests: 2, windowSeconds: 60 }, concurrent: 1 };

/** Counted in place, and as over a network. */
const COUNTERS = {
  'a count at hand': (counter) => counter,
  'a count that takes a while': toLate,
} as const satisfies Record<string, (counter: RequestCounter) => RequestCounter>;

function toLate(counter: RequestCounter): RequestCounter {
  return { count: async (...asked) => counter.count(...asked) };
}

for (const [name, wrap] of Object.entries(COUNTERS)) {
  t.test(`gives a place back whatever becomes of the question, with ${name}`, async (t) => {
    const clock = createManualClock();
    const holdToLimits = createHoldToLimits(
      wrap(createMemoryRequestCounter({ clock })),
      createConcurrentRequests(),
    );
    const ask = () => holdToLimits({ id: 'edge', limits: LIMITS });
    const first = await ask();
    t.match(first, { isGranted: true });
    t.same(
      await ask(),
      { isGranted: false, limit: 'concurrency', rate: null, retryAfterSeconds: 1 },
      'one at a time',
    );
    if (first.isGranted) first.release();
    const second = await ask();
    t.match(second, { isGranted: true }, 'one that was refused its place was not counted');
    if (second.isGranted) {
      second.release();
      second.release();
    }
    const over = {
      isGranted: false,
      limit: 'rate',
      rate: { remaining: 0, seconds: 60 },
      retryAfterSeconds: 60,
    };
    t.same(await ask(), over);
    t.same(await ask(), over, 'and takes no place');
    clock.advance(60_000);
    t.match(await ask(), { isGranted: true });
    t.match(await ask(), { isGranted: false }, 'a place that was given back twice is one place');
  });
}

t.test('holds callers to the limits that they have, and to no others', async (t) => {
  const counted: string[] = [];
  const counter: RequestCounter = {
    count: (callerId) => {
      counted.push(callerId);
      return { count: 1, leftMs: 1_000 };
    },
  };
  const holdToLimits = createHoldToLimits(counter, createConcurrentRequests());
  const rate = { requests: 2, windowSeconds: 1 };
  const free = holdToLimits({ id: 'free', limits: null });
  t.match(free, { isGranted: true, rate: null });
  if (!(free instanceof Promise) && free.isGranted) free.release();
  t.match(holdToLimits({ id: 'narrow', limits: { rate: null, concurrent: 1 } }), {
    isGranted: true,
    rate: null,
  });
  t.match(holdToLimits({ id: 'narrow', limits: { rate: null, concurrent: 1 } }), { limit: 'concurrency' });
  t.match(holdToLimits({ id: 'fast', limits: { rate, concurrent: null } }), {
    isGranted: true,
    rate: { remaining: 1, seconds: 1 },
  });
  t.same(counted, ['fast']);
});
