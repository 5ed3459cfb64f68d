import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { createMemoryIdempotencyStore } from '../../src/stores/callers/memory-idempotency.ts';
import { createRedisIdempotencyStore } from '../../src/stores/callers/redis-idempotency.ts';
import { openRedisHandle } from '../stores/redis/open-redis-handle.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { createManualClock, until } from '../support/test-app.ts';
import { type IdempotencyStoreTwin, testIdempotencyStore } from './idempotency-store.ts';

const server = await startRedisServer(t);
let openings = 0;

const memory: IdempotencyStoreTwin = {
  id: 'memory',
  open: async () => {
    const clock = createManualClock();
    return { store: createMemoryIdempotencyStore({ clock }), pass: async (ms) => clock.advance(ms) };
  },
};

const redis: IdempotencyStoreTwin = {
  id: 'redis',
  open: async (t) => {
    openings += 1;
    const redis = await openRedisHandle(t, { url: server.url, keyPrefix: `test-${openings}` });
    // Redis has a clock of its own, which nobody can move.
    return { store: createRedisIdempotencyStore(redis), pass: (ms) => delay(ms) };
  },
};

const looped: string[] = [];
for (const twin of [memory, redis]) {
  looped.push(twin.id);
  t.test(`the ${twin.id} store keeps the contract`, async (t) => testIdempotencyStore(t, twin));
}
t.same(looped, ['memory', 'redis'], 'the suite looped over all stores');

t.test('the memory store keeps no answer longer because a wall clock was set back', async (t) => {
  const clock = createManualClock();
  let setByMs = 0;
  const store = createMemoryIdempotencyStore({
    clock: { nowMs: () => clock.nowMs() + setByMs, monotonicMs: clock.monotonicMs },
  });
  const request = { key: 'key-1', fingerprint: 'content-1', owner: 'owner-1' };
  await store.claim(request, 1_000);
  store.keep(request, { decisionId: 'decision-1', body: '{}' }, 60_000);
  setByMs = -3_600_000;
  clock.advance(60_000);
  t.same(await store.claim(request, 1_000), { kind: 'claimed' });
});

t.test('the memory store is bounded', async (t) => {
  const store = createMemoryIdempotencyStore({ clock: createManualClock(), entriesMax: 2 });
  const claim = async (key: string) => (await store.claim({ key, fingerprint: 'f', owner: 'o' }, 1000)).kind;
  t.same([await claim('a'), await claim('b'), await claim('c')], ['claimed', 'claimed', 'claimed']);
  t.same([await claim('c'), await claim('a')], ['in_flight', 'claimed']);
});

t.test('the memory store is bounded by the length of answers too', async (t) => {
  const store = createMemoryIdempotencyStore({ clock: createManualClock(), entriesMax: 8 });
  const keep = async (key: string, length: number) => {
    const request = { key, fingerprint: 'f', owner: 'o' };
    await store.claim(request, 1_000);
    store.keep(request, { decisionId: key, body: 'x'.repeat(length) }, 60_000);
  };
  const kind = async (key: string) => (await store.claim({ key, fingerprint: 'f', owner: 'p' }, 1)).kind;
  for (const key of ['a', 'b', 'c', 'd']) await keep(key, 2_000);
  await keep('long', 12_000);
  t.equal(await kind('long'), 'stored');
  t.equal(await kind('d'), 'stored');
  t.equal(await kind('a'), 'claimed', 'the least recently used ones made room');
  await keep('too long', 17_000);
  t.equal(await kind('too long'), 'claimed', 'it is not kept at all');
});

t.test('the redis store lets an answer take the place of a claim whose reply was late', async (t) => {
  const proxy = await startTcpProxy(t, server.port);
  const url = `redis://127.0.0.1:${proxy.port}`;
  const store = createRedisIdempotencyStore(
    await openRedisHandle(t, { url, keyPrefix: 'late', budgetMs: 200 }),
  );
  const others = createRedisIdempotencyStore(
    await openRedisHandle(t, { url: server.url, keyPrefix: 'late' }),
  );
  const answer = { decisionId: 'decision-1', body: '{}' };
  const request = { key: 'k', fingerprint: 'f', owner: 'first' };
  proxy.setDelayMs(400);
  t.same(await store.claim(request, 60_000), { kind: 'unavailable' });
  store.keep(request, answer, 60_000);
  await until('the answer is kept', async () => {
    const claim = await others.claim({ ...request, owner: 'second' }, 60_000);
    return claim.kind === 'stored';
  });
});
