import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { SessionStore } from '../../src/application/callers/session-store.ts';
import { createMemorySessionStore } from '../../src/stores/callers/memory-sessions.ts';
import { createRedisSessionStore } from '../../src/stores/callers/redis-sessions.ts';
import { openRedisHandle } from '../stores/redis/open-redis-handle.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { createManualClock } from '../support/test-app.ts';

interface Twin {
  readonly id: string;
  open(t: Test): Promise<{ readonly store: SessionStore; pass(ms: number): Promise<void> }>;
}

const SESSION = { keyDigest: 'ab'.repeat(32), startedAtMs: 1_800_000_000_000 };
const OTHER = {
  person: { source: 'ef'.repeat(32), name: 'Ana #12345678', groups: ['analysts'] },
  startedAtMs: 1_800_000_000_001,
};
const server = await startRedisServer(t);
let openings = 0;

const TWINS: readonly Twin[] = [
  {
    id: 'memory',
    open: async () => {
      const clock = createManualClock();
      return { store: createMemorySessionStore({ clock }), pass: async (ms) => clock.advance(ms) };
    },
  },
  {
    id: 'redis',
    open: async (t) => {
      openings += 1;
      const redis = await openRedisHandle(t, { url: server.url, keyPrefix: `test-${openings}` });
      // Redis has a clock of its own, which nobody can move.
      return { store: createRedisSessionStore(redis), pass: (ms) => delay(ms) };
    },
  },
];

for (const twin of TWINS) {
  t.test(`the ${twin.id} store finds what was opened until it is ended`, async (t) => {
    const { store } = await twin.open(t);
    t.equal(await store.find('one', 60_000), 'none');
    t.equal(await store.open('one', SESSION, 60_000), true);
    t.equal(await store.open('two', OTHER, 60_000), true);
    t.same(await store.find('one', 60_000), SESSION);
    t.same(await store.find('two', 60_000), OTHER);
    t.equal(await store.end('one'), true);
    t.equal(await store.find('one', 60_000), 'none');
    t.same(await store.find('two', 60_000), OTHER);
    t.equal(await store.end('one'), true, 'what has ended has ended');
  });

  t.test(`the ${twin.id} store keeps a session as long as it is used`, async (t) => {
    const { store, pass } = await twin.open(t);
    await store.open('unused', SESSION, 100);
    await store.open('used', SESSION, 100);
    t.same(await store.find('used', 60_000), SESSION);
    await pass(200);
    t.equal(await store.find('unused', 60_000), 'none');
    t.same(await store.find('used', 60_000), SESSION);
  });
}
t.equal(TWINS.length, 2);

t.test('the memory store is bounded', async (t) => {
  const store = createMemorySessionStore({ clock: createManualClock(), entriesMax: 2 });
  for (const name of ['a', 'b', 'c']) await store.open(name, SESSION, 1_000);
  t.equal(await store.find('a', 1_000), 'none');
  t.same(await store.find('c', 1_000), SESSION);
});

t.test('the redis store lets nobody in by what is no session of ours', async (t) => {
  const redis = await openRedisHandle(t, { url: server.url, keyPrefix: 'test-odd' });
  const store = createRedisSessionStore(redis);
  for (const text of ['', 'x', '{}', '[]', 'null', JSON.stringify({ ...SESSION, keyDigest: 'AB' })]) {
    await redis.client.set(redis.keys.session('odd'), text);
    t.equal(await store.find('odd', 1_000), 'none', JSON.stringify(text));
  }
});

t.test('the redis store cannot tell while Redis is gone', async (t) => {
  const own = await startRedisServer(t);
  const redis = await openRedisHandle(t, { url: own.url, keyPrefix: 'test-gone' });
  const store = createRedisSessionStore(redis);
  await store.open('one', SESSION, 60_000);
  await own.stop();
  t.equal(await store.find('one', 60_000), 'unavailable');
  t.equal(await store.open('two', SESSION, 60_000), false);
  t.equal(await store.end('one'), false, 'it may go on');
});
