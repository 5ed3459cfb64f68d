import t, { type Test } from 'tap';
import { servedMs } from '../../src/platform/served-time.ts';
import { createMemoryEvidenceStore } from '../../src/stores/evidence/memory-store.ts';
import { createTieredEvidenceStore } from '../../src/stores/evidence/tiered-evidence-store.ts';
import { createEvidence, createManualClock, settle } from '../contracts/evidence-store.ts';
import { type WatchedStore, watchRedisStore } from '../stores/redis/watched-store.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const KEY = 'stytch:00112233445566778899aabbccddeeff';
/**
 * Short enough for a test to wait for, long enough that a busy machine does not exceed it when Redis is well.
 */
const BUDGET_MS = 150;
const PROBE_INTERVAL_MS = 50;

process.on('unhandledRejection', (reason) => {
  throw reason;
});

t.test('starts without Redis, misses in place, and finds it when it comes', async (t) => {
  const server = await startRedisServer(t);
  await server.stop();
  const { clock, watched } = open(t, server.url);
  await watched.reached('down', 1);
  t.same(
    watched.events.find((event) => event.kind === 'down'),
    { kind: 'down', reason: 'ECONNREFUSED' },
  );
  t.same(watched.store.health(), { state: 'down', reason: 'ECONNREFUSED', receivesPurges: false });
  t.equal(watched.store.get(KEY), null);
  watched.store.set(KEY, createEvidence(clock));
  t.equal(await watched.store.purge([KEY]), false);
  await server.start();
  await watched.ready();
  await expectWorking(t, watched);
});

t.test('gives up on a frozen Redis after one budget, leaves it alone, and notices its return', async (t) => {
  const server = await startRedisServer(t);
  const { watched } = open(t, server.url);
  await watched.ready();
  await expectWorking(t, watched);
  server.pause();
  const waiting = Array.from({ length: 50 }, async () => watched.store.get(KEY));
  t.same(new Set(await Promise.all(waiting)), new Set([null]));
  t.equal(watched.store.get(KEY), null, 'the next one does not wait, not even for the second opinion');
  await watched.reached('down', 1);
  t.equal(watched.store.health().reason, 'timeout');
  t.ok(watched.store.counters().timeouts >= 1);
  t.ok(watched.store.counters().skipped >= 1);
  t.equal(await watched.store.purge([KEY]), false, 'a purge that nobody confirms is incomplete');
  server.resume();
  await watched.reached('up', 2);
  await watched.ready();
  await expectWorking(t, watched, 'stytch:another');
});

t.test('survives a Redis that is killed and restarted, scripts and subscription included', async (t) => {
  const server = await startRedisServer(t);
  const { watched } = open(t, server.url);
  await watched.ready();
  await expectWorking(t, watched);
  const inFlight = watched.store.get(KEY);
  await server.stop();
  await inFlight;
  await watched.reached('down', 1);
  t.equal(watched.store.get(KEY), null);
  await server.start();
  await watched.reached('subscribed', 2);
  await watched.reached('up', 2);
  await expectWorking(t, watched);
});

t.test('finds its script again after SCRIPT FLUSH', async (t) => {
  const server = await startRedisServer(t);
  const { watched } = open(t, server.url);
  await watched.ready();
  await expectWorking(t, watched);
  await server.command('SCRIPT FLUSH');
  watched.store.set('stytch:another', createEvidence(createManualClock()));
  // The write is refused first and sent again with the whole script: two answers later it has arrived.
  await settle(watched.store);
  await settle(watched.store);
  t.ok(await watched.store.get('stytch:another'));
  t.equal(watched.store.counters().errorReplies, 0);
});

t.test(
  'leaves a Redis alone that always answers too late, and does not take its late PING for health',
  async (t) => {
    const server = await startRedisServer(t);
    const proxy = await startTcpProxy(t, server.port);
    const { watched } = open(t, `redis://127.0.0.1:${proxy.port}`);
    await watched.ready();
    proxy.setDelayMs(2 * BUDGET_MS);
    t.equal(await watched.store.get(KEY), null);
    await watched.reached('down', 1);
    t.equal(watched.store.health().reason, 'timeout');
    t.equal(watched.count('up'), 1);
    proxy.setDelayMs(0);
    await watched.reached('up', 2);
    await expectWorking(t, watched);
  },
);

t.test('waits as long as its budget says, also beyond a second', async (t) => {
  const server = await startRedisServer(t);
  const proxy = await startTcpProxy(t, server.port);
  const clock = createManualClock();
  const watched = watchRedisStore(t, { url: `redis://127.0.0.1:${proxy.port}`, clock, budgetMs: 10_000 });
  await watched.ready();
  await expectWorking(t, watched);
  proxy.setDelayMs(1_300);
  t.ok(await watched.store.get(KEY));
  t.equal(watched.store.counters().failures, 0);
});

t.test('does not blame Redis for an event loop that was blocked', async (t) => {
  const server = await startRedisServer(t);
  const clock = createManualClock();
  const watched = watchRedisStore(t, { url: server.url, clock, budgetMs: 100, probeIntervalMs: 60_000 });
  await watched.reached('subscribed', 1);
  for (let round = 0; round < 2; round += 1) {
    const pending = watched.store.get(KEY);
    // Blocks before the command is sent, and again right after it is given up, when the PING is not sent yet.
    block(250);
    await pending;
    block(250);
    while (watched.store.get(KEY) === null && watched.count('down') === 0) await new Promise(setImmediate);
  }
  t.equal(watched.count('down'), 0);
});

t.test('waits for a frozen Redis as long as for one read, however many batches are asked for', async (t) => {
  const server = await startRedisServer(t);
  const { watched } = open(t, server.url);
  await watched.ready();
  await expectWorking(t, watched);
  server.pause();
  const startedMs = servedMs();
  const reading = Array.from({ length: 1_000 }, async (_, place) =>
    watched.store.getOrClaim(`stytch:${place}`, 9),
  );
  t.same(new Set(await Promise.all(reading)), new Set([null]));
  // A step of the clock, and its slack, are beyond the budget.
  t.ok(servedMs() - startedMs < BUDGET_MS + 10, `${servedMs() - startedMs} ms`);
  t.equal(watched.store.getOrClaim(KEY, 9), null, 'and then it is left alone');
  t.equal(watched.store.counters().timeouts, 32, 'calls of at most 32 reads each');
  await watched.reached('down', 1);
  server.resume();
});

t.test('does not crash on a wrong password, and says so once', async (t) => {
  const server = await startRedisServer(t, { password: 'right' });
  const { watched } = open(t, `redis://:wrong@127.0.0.1:${server.port}/0`);
  await watched.reached('down', 1);
  await watched.reached('unsubscribed', 1);
  t.equal(watched.store.health().reason, 'WRONGPASS');
  t.equal(watched.store.get(KEY), null);
  t.equal(await watched.store.purge([KEY]), false);
  t.equal(watched.events.length, 2);
});

t.test('stays away from a Redis without the database of its URL', async (t) => {
  const server = await startRedisServer(t);
  const { watched } = open(t, `${server.url}/99`);
  await watched.reached('down', 1);
  t.equal(watched.store.health().reason, 'DATABASE_REFUSED');
  t.equal(watched.store.get(KEY), null);
});

t.test('connects with a password and a database', async (t) => {
  const server = await startRedisServer(t, { password: 'p@ss/word' });
  const { watched } = open(t, `${server.url}/3`);
  await watched.ready();
  await expectWorking(t, watched);
  t.match(await server.command('INFO keyspace'), /db3:keys=1/);
});

t.test('misses values that are not evidence of their key, and counts them', async (t) => {
  const server = await startRedisServer(t);
  const { clock, watched } = open(t, server.url);
  await watched.ready();
  const foreign = [
    'nonsense',
    '{}',
    JSON.stringify(createEvidence(clock, { provider: 'mobilerun' })),
    JSON.stringify(createEvidence(clock, { outcome: 'timeout' })),
  ];
  for (const text of foreign) {
    await server.command(['SET', `riskgate:v1:evidence:${KEY}`, text]);
    t.equal(await watched.store.get(KEY), null, text);
  }
  t.equal(watched.store.counters().valuesRefused, foreign.length);
  t.equal(watched.count('value_refused'), 1, 'one line for all of them');
  await server.command(['DEL', `riskgate:v1:evidence:${KEY}`]);
  await server.command(['LPUSH', `riskgate:v1:evidence:${KEY}`, 'a']);
  t.equal(await watched.store.get(KEY), null, 'a value of another type');
  t.match(watched.events.at(-1), { kind: 'command_refused', code: 'WRONGTYPE' });
  t.equal(watched.store.health().state, 'up', 'an answer that says no is an answer');
});

t.test('goes on reading from a Redis that has no room for writes', async (t) => {
  const server = await startRedisServer(t);
  const { watched } = open(t, server.url);
  await watched.ready();
  await expectWorking(t, watched);
  await server.command(['CONFIG', 'SET', 'maxmemory', '1']);
  watched.store.set('stytch:another', createEvidence(createManualClock()));
  await settle(watched.store);
  t.match(watched.events.at(-1), { kind: 'command_refused', code: 'OOM' });
  t.ok(await watched.store.get(KEY));
  t.equal(watched.store.health().state, 'up');
});

t.test('ignores messages on the purge channel that are not its own', async (t) => {
  const server = await startRedisServer(t);
  const { watched } = open(t, server.url);
  await watched.ready();
  const heard: unknown[] = [];
  const heardPurge = new Promise<void>((resolve) => {
    watched.store.onPurge((keys) => {
      heard.push(keys);
      resolve();
    });
  });
  for (const text of [
    '',
    '{',
    'null',
    '{"sender":"x"}',
    '{"sender":"x","keys":[1]}',
    '{"sender":1,"keys":[]}',
  ]) {
    await server.command(['PUBLISH', 'riskgate:v1:purge', text]);
  }
  await server.command(['PUBLISH', 'riskgate:v1:purge', '{"sender":"x","keys":["stytch:a"]}']);
  await heardPurge;
  t.same(heard, [['stytch:a']]);
  t.equal(watched.count('message_refused'), 1);
});

t.test('forgets its memory after purges that it could not hear', async (t) => {
  const server = await startRedisServer(t);
  const proxy = await startTcpProxy(t, server.port);
  const here = open(t, server.url);
  const there = open(t, `redis://127.0.0.1:${proxy.port}`);
  const memory = createMemoryEvidenceStore({ clock: there.clock });
  const tiered = createTieredEvidenceStore({ memory, redis: there.watched.store });
  await Promise.all([here.watched.ready(), there.watched.ready()]);
  tiered.set(KEY, createEvidence(there.clock));
  await settle(tiered);
  proxy.cut();
  await there.watched.reached('unsubscribed', 1);
  t.equal(tiered.health().receivesPurges, false);
  t.ok(tiered.get(KEY), 'memory goes on serving while Redis is away');
  t.equal(await here.watched.store.purge([KEY]), true);
  proxy.mend();
  await there.watched.reached('subscribed', 2);
  t.equal(await tiered.get(KEY), null);
});

t.test(
  'does not keep in memory what a call brought back that began before a purge that was missed',
  async (t) => {
    const server = await startRedisServer(t);
    const here = open(t, server.url);
    const there = open(t, server.url);
    const memory = createMemoryEvidenceStore({ clock: there.clock });
    const tiered = createTieredEvidenceStore({ memory, redis: there.watched.store });
    await Promise.all([here.watched.ready(), there.watched.ready()]);
    const old = createEvidence(there.clock);
    await here.watched.store.purge([KEY]);
    tiered.set(KEY, old);
    await settle(tiered);
    t.equal(await tiered.get(KEY), null);
    t.equal(there.watched.store.counters().writesRefused, 1);
  },
);

t.test('keeps a tombstone for longer than any upstream call, and no longer than it says', async (t) => {
  const server = await startRedisServer(t);
  const { watched } = open(t, server.url);
  await watched.ready();
  await watched.store.purge([KEY]);
  const lifeMs = Number((await server.command(['PTTL', `riskgate:v1:evidence:${KEY}`])).slice(1));
  t.ok(lifeMs > 10_000 && lifeMs <= 15_000, `${lifeMs} ms`);
  t.equal(await watched.store.get(KEY), null);
  t.equal(watched.store.counters().valuesRefused, 0, 'a tombstone is an ordinary miss');
});

t.test('lets evidence live in Redis no longer than it is valid', async (t) => {
  const server = await startRedisServer(t);
  const { clock, watched } = open(t, server.url);
  await watched.ready();
  watched.store.set(KEY, createEvidence(clock, { expiresAtMs: clock.nowMs() + 20_000 }));
  await settle(watched.store);
  const lifeMs = Number((await server.command(['PTTL', `riskgate:v1:evidence:${KEY}`])).slice(1));
  t.ok(lifeMs > 0 && lifeMs <= 20_000, `${lifeMs} ms`);
});

for (const state of ['up', 'frozen', 'gone'] as const) {
  t.test(`closes for good when Redis is ${state}`, async (t) => {
    const server = await startRedisServer(t);
    const { watched } = open(t, server.url);
    await watched.ready();
    if (state === 'frozen') server.pause();
    if (state === 'gone') {
      await server.stop();
      await watched.reached('down', 1);
    }
    const eventsBefore = watched.events.length;
    await watched.store.close();
    t.equal(watched.store.get(KEY), null);
    t.equal(await watched.store.purge([KEY]), false);
    t.equal(watched.events.length, eventsBefore, 'an end on purpose is no news');
  });
}

function block(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

function open(t: Test, url: string) {
  const clock = createManualClock();
  const options = { url, clock, budgetMs: BUDGET_MS, probeIntervalMs: PROBE_INTERVAL_MS };
  return { clock, watched: watchRedisStore(t, options) };
}

/** Sets and gets through Redis. */
async function expectWorking(t: Test, watched: WatchedStore, key: string = KEY): Promise<void> {
  const evidence = createEvidence(createManualClock());
  watched.store.set(key, evidence);
  t.strictSame(await watched.store.get(key), { evidence, level: 'redis' });
}
