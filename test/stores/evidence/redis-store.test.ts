import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createMemoryEvidenceStore } from '../../../src/stores/evidence/memory-store.ts';
import { createTieredEvidenceStore } from '../../../src/stores/evidence/tiered-evidence-store.ts';
import { createEvidence, createManualClock, settle } from '../../contracts/evidence-store.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { watchRedisStore } from '../redis/watched-store.ts';

const KEYS = ['stytch:a', 'mobilerun:a', 'prefactor:a'] as const;
const [STYTCH, MOBILERUN, PREFACTOR] = KEYS;
const CLAIM_MS = 60_000;

const server = await startRedisServer(t);
t.beforeEach(() => server.command('FLUSHALL'));

async function open(t: Test, budgetMs?: number) {
  const clock = createManualClock();
  const options = { url: server.url, clock, ...(budgetMs === undefined ? {} : { budgetMs }) };
  const { store, redis, ready, events } = watchRedisStore(t, options);
  await ready();
  const fill = async () => {
    for (const key of KEYS) store.set(key, createEvidence(clock, { provider: key.split(':')[0] ?? '' }));
    await settle(store);
  };
  const readAll = () => Promise.all(KEYS.map(async (key) => store.getOrClaim(key, CLAIM_MS)));
  return { store, redis, clock, events, fill, readAll };
}

function toProviders(readings: readonly unknown[]) {
  return readings.map(
    (reading) => (reading as { evidence?: { provider: string } } | null)?.evidence?.provider ?? null,
  );
}

t.test('reads all that is asked for in one turn with one command', async (t) => {
  const { fill, readAll } = await open(t);
  await fill();
  const seen = await server.monitor(async () => {
    t.same(toProviders(await readAll()), ['stytch', 'mobilerun', 'prefactor']);
  });
  t.equal(seen.match(/"eval(sha)?"/gi)?.length, 1);
});

t.test('reads the others where one key holds what is no text', async (t) => {
  const { store, fill, readAll, events } = await open(t);
  await fill();
  await server.command(['DEL', `riskgate:v1:evidence:${MOBILERUN}`]);
  await server.command(['LPUSH', `riskgate:v1:evidence:${MOBILERUN}`, 'poison']);
  t.same(toProviders(await readAll()), ['stytch', null, 'prefactor']);
  t.match(events.at(-1), { kind: 'command_refused', code: 'WRONGTYPE' });
  t.match(store.counters(), { errorReplies: 1, timeouts: 0, failures: 0 });
  t.equal(store.health().state, 'up');
});

t.test('claims each missing key for itself', async (t) => {
  const [here, there] = [await open(t), await open(t)];
  t.same(await here.readAll(), [null, null, null]);
  const claimants = (await there.readAll()).map((reading) =>
    reading !== null && 'claimant' in reading ? reading.claimant : null,
  );
  t.ok(claimants.every((claimant) => claimant !== null));
  t.equal(new Set(claimants).size, KEYS.length, 'each claim can be told from the others');
  here.store.release(STYTCH);
  await settle(here.store);
  t.same(
    (await there.readAll()).map((reading) => reading === null),
    [true, false, false],
    'and is released alone',
  );
});

t.test('finds its script again when Redis has forgotten it between two turns', async (t) => {
  const { store, fill, readAll } = await open(t);
  await fill();
  await readAll();
  await server.command('SCRIPT FLUSH');
  t.same(toProviders(await readAll()), ['stytch', 'mobilerun', 'prefactor']);
  t.equal(store.counters().errorReplies, 0);
});

t.test('still gives what it has where Redis refuses the claims', async (t) => {
  const { fill, readAll, events } = await open(t);
  await fill();
  await server.command(['DEL', `riskgate:v1:evidence:${MOBILERUN}`]);
  await server.command(['CONFIG', 'SET', 'maxmemory', '1']);
  t.teardown(() => server.command(['CONFIG', 'SET', 'maxmemory', '0']));
  t.same(toProviders(await readAll()), ['stytch', null, 'prefactor']);
  t.equal(events.filter(({ kind }) => kind === 'command_refused').length, 0);
});

t.test(
  'refuses what was asked for before a purge of one of the keys that were claimed together',
  async (t) => {
    const { store, clock, readAll } = await open(t);
    await readAll();
    t.equal(await store.purge([STYTCH]), true);
    for (const key of KEYS) store.set(key, createEvidence(clock, { provider: key.split(':')[0] ?? '' }));
    await settle(store);
    t.same(toProviders(await readAll()), [null, 'mobilerun', 'prefactor']);
    t.equal(store.counters().writesRefused, 1);
  },
);

t.test('gives nothing that was purged to who asks after the purge, in the same turn or later', async (t) => {
  const { store, redis, clock, fill } = await open(t);
  const memory = createMemoryEvidenceStore({ clock, ttlCapMs: 0 });
  const tiered = createTieredEvidenceStore({ memory, redis: store });
  await fill();
  const before = tiered.getOrClaim(PREFACTOR, CLAIM_MS);
  // A batch of the client itself is under way, behind which it keeps what it batches.
  void redis.client.get('anything');
  await setImmediate();
  void redis.client.get('anything else');
  const early = tiered.getOrClaim(STYTCH, CLAIM_MS);
  const purged = tiered.purge([STYTCH]);
  const late = tiered.getOrClaim(STYTCH, CLAIM_MS);
  await setImmediate();
  const later = tiered.getOrClaim(STYTCH, CLAIM_MS);
  t.same(toProviders(await Promise.all([early, late, later])), [null, null, null]);
  t.equal(await purged, true);
  await before;
});

t.test('takes a reply that lay in the socket while this process stood still', async (t) => {
  const { fill, readAll, store } = await open(t, 25);
  await fill();
  // The machine may be slow when the pipes are filled, which is not what is looked at here.
  while (store.get(STYTCH) === null) await setImmediate();
  const { timeouts } = store.counters();
  const reading = readAll();
  await setImmediate();
  // Four times the budget, and Redis has all of it.
  const untilMs = performance.now() + 100;
  while (performance.now() < untilMs);
  t.same(toProviders(await reading), ['stytch', 'mobilerun', 'prefactor']);
  t.equal(store.counters().timeouts, timeouts);
});
