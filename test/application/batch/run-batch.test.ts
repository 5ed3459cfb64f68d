import t from 'tap';
import { createRunBatch } from '../../../src/application/batch/run-batch.ts';
import type { TakePlace } from '../../../src/application/batch/take-place.ts';
import { createConcurrentRequests } from '../../../src/application/callers/concurrent-requests.ts';
import { createHoldToLimits, type LimitedCaller } from '../../../src/application/callers/hold-to-limits.ts';
import { createPlaces } from '../../../src/platform/places.ts';
import { createMemoryRequestCounter } from '../../../src/stores/callers/memory-counter.ts';
import { createManualClock } from '../../support/test-app.ts';

/** Room for so many items of all batches; nobody is refused for waiting. */
function roomFor(max: number, waitingMax = 100): TakePlace {
  return createPlaces({ max, waitingMax, waitMs: 60_000 }).take;
}

function open({ takePlace = roomFor(1000), overload = () => null as string | null } = {}) {
  const clock = createManualClock();
  const underWay = createConcurrentRequests();
  const holdToLimits = createHoldToLimits(createMemoryRequestCounter({ clock }), underWay);
  const limited: string[] = [];
  const onLimited = (limit: string, callerId: string) => void limited.push(`${limit} ${callerId}`);
  const runBatch = createRunBatch({ holdToLimits, overload, takePlace, clock, onLimited });
  return { runBatch, holdToLimits, underWay, limited, clock };
}

const FREE: LimitedCaller = { id: 'free', limits: null };

/** Items that note how many of them are under way, and end a few turns later. */
function busyItems(count: number) {
  const seen = { now: 0, most: 0, order: [] as number[] };
  const items = Array.from({ length: count }, (_, place) => async () => {
    seen.order.push(place);
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    seen.now -= 1;
    return place;
  });
  return { items, seen };
}

t.test('answers in the order of the items, whichever ends first', async (t) => {
  const { runBatch } = open();
  const late = Promise.withResolvers<string>();
  const third = () => {
    late.resolve('late');
    return 'third';
  };
  const items = [() => late.promise, () => 'at hand', third];
  const { results, rate } = await runBatch({ items, caller: FREE, deadlineAtMs: 1000 });
  t.strictSame(results, [
    { ok: true, value: 'late' },
    { ok: true, value: 'at hand' },
    { ok: true, value: 'third' },
  ]);
  t.equal(rate, null);
});

t.test('a failed item fails alone, thrown or rejected', async (t) => {
  const { runBatch } = open();
  const error = new Error('bad');
  const items = [
    () => {
      throw error;
    },
    () => 1,
    () => Promise.reject(error),
  ];
  const { results } = await runBatch<number>({ items, caller: null, deadlineAtMs: 1000 });
  t.strictSame(results, [
    { ok: false, error },
    { ok: true, value: 1 },
    { ok: false, error },
  ]);
});

t.test('runs all at once where nothing bounds them, begun in their order', async (t) => {
  const { runBatch } = open();
  const { items, seen } = busyItems(6);
  await runBatch({ items, caller: FREE, deadlineAtMs: 1000 });
  t.equal(seen.most, 6);
  t.strictSame(seen.order, [0, 1, 2, 3, 4, 5]);
});

t.test('lets others in between eight items', async (t) => {
  const { runBatch } = open();
  let turns = 0;
  const count = () => {
    turns += 1;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  const seen: number[] = [];
  const items = Array.from({ length: 24 }, () => () => void seen.push(turns));
  await runBatch({ items, caller: FREE, deadlineAtMs: 1000 });
  clearImmediate(timer);
  t.ok((seen[8] ?? 0) > (seen[7] ?? 0));
  t.ok((seen[16] ?? 0) > (seen[15] ?? 0));
});

t.test('counts each item but the first against the rate, and refuses those beyond it', async (t) => {
  const { runBatch, holdToLimits, limited } = open();
  const caller = { id: 'a', limits: { rate: { requests: 4, windowSeconds: 60 }, concurrent: null } };
  await holdToLimits(caller);
  const items = Array.from({ length: 6 }, (_, place) => () => place);
  const { results, rate } = await runBatch({ items, caller, deadlineAtMs: 1000 });
  t.strictSame(
    results.map(({ ok }) => ok),
    [true, true, true, true, false, false],
  );
  t.match(results[4], { error: { code: 'rate_limited', retryAfterSeconds: 60 } });
  t.strictSame(rate, { remaining: 0, seconds: 60 });
  t.strictSame(limited, ['rate a', 'rate a']);
});

t.test('runs as many at a time as its caller may have, the place of the request among them', async (t) => {
  const { runBatch, holdToLimits } = open();
  const caller = { id: 'a', limits: { rate: null, concurrent: 3 } };
  await holdToLimits(caller);
  const { items, seen } = busyItems(10);
  const { results } = await runBatch({ items, caller, deadlineAtMs: 1000 });
  t.equal(seen.most, 3);
  t.ok(results.every(({ ok }) => ok));
  t.match(await holdToLimits({ id: 'a', limits: { rate: null, concurrent: 2 } }), { isGranted: true });
});

t.test('goes on in its own place where the caller has no other free', async (t) => {
  const { runBatch, underWay } = open();
  const caller = { id: 'a', limits: { rate: null, concurrent: 2 } };
  underWay.take('a', 2);
  const leaveOther = underWay.take('a', 2);
  const { items, seen } = busyItems(4);
  await runBatch({ items, caller, deadlineAtMs: 1000 });
  t.equal(seen.most, 1);
  leaveOther?.();
  t.type(underWay.take('a', 2), 'function', 'every place was given back');
});

t.test('asks for each item but the first whether the process is overloaded', async (t) => {
  let asked = 0;
  const overload = () => {
    asked += 1;
    return asked === 2 ? 'event_loop' : null;
  };
  const { runBatch } = open({ overload });
  const items = [0, 1, 2, 3].map((place) => () => place);
  const { results } = await runBatch({ items, caller: FREE, deadlineAtMs: 1000 });
  t.equal(asked, 3);
  t.strictSame(
    results.map(({ ok }) => ok),
    [true, true, false, true],
  );
  t.match(results[2], { error: { code: 'overloaded', retryAfterSeconds: 1 } });
});

t.test('two batches have the places in turns, and no more than there are', async (t) => {
  const { runBatch } = open({ takePlace: roomFor(2) });
  const order: string[] = [];
  let now = 0;
  let most = 0;
  const itemsOf = (name: string) =>
    Array.from({ length: 5 }, () => async () => {
      order.push(name);
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
    });
  await Promise.all(
    ['a', 'b'].map((name) => runBatch({ items: itemsOf(name), caller: FREE, deadlineAtMs: 60_000 })),
  );
  t.equal(most, 2);
  t.ok(order.indexOf('b') < order.lastIndexOf('a'), order.join(''));
});

t.test('refuses what finds no room by the deadline, and waits for none after that', async (t) => {
  const takePlace = roomFor(2);
  const { runBatch } = open({ takePlace });
  const leave = takePlace(() => {});
  const blocked = Promise.withResolvers<string>();
  const items = [() => blocked.promise, () => 'no room', () => 'no room either'];
  const done = runBatch({ items, caller: FREE, deadlineAtMs: 5 });
  // Far behind the deadline: a busy process comes late to both.
  setTimeout(() => blocked.resolve('first'), 1_000);
  const { results } = await done;
  t.match(results[0], { ok: true, value: 'first' });
  for (const result of results.slice(1)) t.match(result, { ok: false, error: { code: 'overloaded' } });
  leave();
  const after = await runBatch({ items: [() => 1, () => 2], caller: FREE, deadlineAtMs: 5 });
  t.ok(
    after.results.every(({ ok }) => ok),
    'nothing was kept',
  );
});

t.test('refuses what finds no place of its caller by the deadline', async (t) => {
  const { runBatch, holdToLimits } = open();
  const caller = { id: 'a', limits: { rate: null, concurrent: 1 } };
  await holdToLimits(caller);
  const blocked = Promise.withResolvers<string>();
  const items = [() => blocked.promise, () => 'second', () => 'third'];
  const done = runBatch({ items, caller, deadlineAtMs: 5 });
  // Far behind the deadline: a busy process comes late to both.
  setTimeout(() => blocked.resolve('first'), 1_000);
  const { results } = await done;
  t.strictSame(
    results.map(({ ok }) => ok),
    [true, false, false],
  );
});

t.test('runs what need not wait also after the deadline', async (t) => {
  const { runBatch } = open();
  const { items } = busyItems(10);
  const { results } = await runBatch({ items, caller: FREE, deadlineAtMs: -1 });
  t.ok(results.every(({ ok }) => ok));
});

t.test('refuses at once where too many batches wait', async (t) => {
  const takePlace = roomFor(1, 0);
  const leave = takePlace(() => {});
  const { runBatch } = open({ takePlace });
  const { results } = await runBatch({ items: [() => 1, () => 2], caller: FREE, deadlineAtMs: 60_000 });
  for (const result of results) t.match(result, { ok: false, error: { code: 'overloaded' } });
  leave();
});
