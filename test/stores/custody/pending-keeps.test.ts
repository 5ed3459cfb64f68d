import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createPendingKeeps, type Keep } from '../../../src/stores/custody/pending-keeps.ts';
import { createRedisCustodyStore } from '../../../src/stores/custody/redis-store.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { createManualClock, until } from '../../support/test-app.ts';
import { watchRedisStore } from '../redis/watched-store.ts';

const RETENTION_MS = 86_400_000;
const BRIEF_LIFE_MS = 600_000;
const KEY = '00112233445566778899aabbccddeeff';

const server = await startRedisServer(t);

async function openStore(t: Test) {
  await server.command('FLUSHALL');
  const clock = createManualClock();
  const { redis, ready, reached } = watchRedisStore(t, { url: server.url, clock, probeIntervalMs: 50 });
  await ready();
  const store = createRedisCustodyStore({ redis, clock, keyIds: ['aa'], retentionMs: RETENTION_MS });
  const first = await store.use([{ key: KEY, user: { account: 'a1' } }]);
  t.match(first, { uses: 1, isKept: false });
  const untilKept = () =>
    until('the binding has its full life', async () => {
      const reply = await server.command(['PTTL', redis.keys.custody(KEY)]);
      return Number(reply.slice(1)) > BRIEF_LIFE_MS;
    });
  return { redis, reached, store, untilKept };
}

t.test('keeps a binding whose keep came while the connection was closed', async (t) => {
  const { reached, store, untilKept } = await openStore(t);
  const down = reached('down', 1).then(() => store.keep([KEY], null));
  await server.command('CLIENT KILL TYPE normal');
  await down;
  await t.resolves(untilKept());
});

t.test('keeps a binding whose keep was lost with the connection', async (t) => {
  const { redis, store, untilKept } = await openStore(t);
  store.keep([KEY], null);
  redis.client.disconnect(true);
  await t.resolves(untilKept());
});

t.test('keeps a binding once Redis has room for the keep', async (t) => {
  const { redis, store, untilKept } = await openStore(t);
  await server.command('CONFIG SET maxmemory 1');
  store.keep([KEY], null);
  await until('the keep is refused', () => redis.guard.counters().errorReplies > 0);
  await server.command('CONFIG SET maxmemory 0');
  await t.resolves(untilKept());
});

function openKeeps(keepsMax?: number) {
  const clock = createManualClock();
  const sent: Keep[] = [];
  const server = { isUp: true, isAnswering: true, pending: 0, pendingMax: 0 };
  const keeps = createPendingKeeps({
    monotonicMs: () => clock.monotonicMs(),
    isUp: () => server.isUp,
    send: async (keep) => {
      sent.push(keep);
      server.pending += 1;
      server.pendingMax = Math.max(server.pendingMax, server.pending);
      await setImmediate();
      server.pending -= 1;
      return server.isAnswering;
    },
    retryMs: 1,
    ...(keepsMax === undefined ? {} : { keepsMax }),
  });
  return { clock, sent, server, keeps };
}

const keepOf = (index: number, validUntilMs: number | null = null): Keep => ({
  hashes: [`h${index}`],
  validUntilMs,
});
const namesOf = (sent: readonly Keep[]) => sent.flatMap(({ hashes }) => hashes);

t.test('sends a keep that was late again, and no more once it is done', async (t) => {
  const { sent, server, keeps } = openKeeps();
  server.isAnswering = false;
  keeps.add(keepOf(1));
  await until('it is sent again, and not answered', () => sent.length > 1 && server.pending === 0);
  server.isAnswering = true;
  const times = sent.length;
  await until('it is sent once more', () => sent.length > times && server.pending === 0);
  await setImmediate();
  const done = sent.length;
  keeps.retry();
  t.equal(sent.length, done);
});

t.test('sends all that waits when Redis is up again, a piece at a time, and each once', async (t) => {
  const { sent, server, keeps } = openKeeps();
  server.isUp = false;
  for (let index = 0; index < 200; index += 1) keeps.add(keepOf(index));
  keeps.retry();
  t.same(sent, [], 'nothing while it is down');
  server.isUp = true;
  keeps.retry();
  await until('all are sent', () => sent.length >= 200 && server.pending === 0);
  t.same(
    namesOf(sent),
    Array.from({ length: 200 }, (_, index) => `h${index}`),
  );
  t.ok(server.pendingMax <= 64, 'decisions do not wait behind all of them');
});

t.test('lets one keep that Redis refuses not stand in the way of others', async (t) => {
  const sent: string[] = [];
  let isUp = false;
  const keeps = createPendingKeeps({
    monotonicMs: () => 0,
    isUp: () => isUp,
    send: async ({ hashes: [name = ''] }) => {
      sent.push(name);
      return name !== 'h0';
    },
  });
  for (let index = 0; index < 130; index += 1) keeps.add(keepOf(index));
  isUp = true;
  keeps.retry();
  await until('the last one is sent', () => sent.includes('h129'));
  t.equal(sent.length, 130);
});

t.test('forgets the oldest beyond its bound, and what has run out anyway', async (t) => {
  const { clock, sent, server, keeps } = openKeeps(2);
  server.isUp = false;
  for (const index of [1, 2]) keeps.add(keepOf(index));
  clock.advance(1);
  keeps.add(keepOf(3));
  clock.advance(BRIEF_LIFE_MS - 1);
  server.isUp = true;
  keeps.retry();
  await until('it is sent', () => sent.length > 0);
  t.same(namesOf(sent), ['h3']);
});

t.test('keeps the expiry that it knows for a binding', async (t) => {
  const { sent, server, keeps } = openKeeps();
  server.isUp = false;
  keeps.add(keepOf(1, 5_000));
  keeps.add(keepOf(1));
  server.isUp = true;
  keeps.retry();
  await until('it is sent', () => sent.length > 0);
  t.strictSame(sent[0]?.validUntilMs, 5_000);
});

t.test('asks nothing for a binding without a name', async (t) => {
  const { sent, keeps } = openKeeps();
  keeps.add({ hashes: [], validUntilMs: null });
  t.same(sent, []);
});
