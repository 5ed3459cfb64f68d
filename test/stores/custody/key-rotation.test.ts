import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { CustodyName } from '../../../src/application/custody/custody-store.ts';
import { type CustodyRecord, type CustodyUser, isInDoubt } from '../../../src/domain/custody.ts';
import { createRedisCustodyStore } from '../../../src/stores/custody/redis-store.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { createManualClock, type ManualClock } from '../../support/test-app.ts';
import { watchRedisStore } from '../redis/watched-store.ts';

const RETENTION_MS = 3_600_000;
const OWNER: CustodyUser = { account: 'a1', 'device:m': 'd1' };
const THIEF: CustodyUser = { account: 'a2', 'device:m': 'd2' };

const server = await startRedisServer(t);
let deployments = 0;

/** What these hash keys make of an id and a user. */
function namesOf(id: number, user: CustodyUser, keyIds: readonly string[]): readonly CustodyName[] {
  return keyIds.map((keyId) => ({
    key: `ab${keyId}${id.toString(16).padStart(28, '0')}`,
    user: Object.fromEntries(Object.entries(user).map(([field, value]) => [field, `${keyId}-${value}`])),
  }));
}

/** One process with these hash keys, the one in force first. */
async function openProcess(t: Test, clock: ManualClock, keyPrefix: string, keyIds: readonly string[]) {
  const { redis, ready } = watchRedisStore(t, { url: server.url, clock, keyPrefix });
  await ready();
  const told: string[] = [];
  const store = createRedisCustodyStore({
    redis,
    clock,
    retentionMs: RETENTION_MS,
    keyIds,
    onUnknownKey: ({ keyId }) => void told.push(keyId),
  });
  const settle = async () => {
    await redis.client.ping();
    await setImmediate();
  };
  await settle();
  const use = async (user: CustodyUser, id = 1): Promise<CustodyRecord> => {
    const record = await store.use(namesOf(id, user, keyIds));
    if (record === null) throw new Error('custody is unknown');
    return record;
  };
  return { store, redis, use, told, settle };
}

function deploy() {
  deployments += 1;
  const clock = createManualClock();
  const prefix = `rotated-${deployments}`;
  return { clock, open: (t: Test, ...keyIds: string[]) => openProcess(t, clock, prefix, keyIds), prefix };
}

const ROLL_OUTS: readonly (readonly (readonly string[])[])[] = [
  [['0a'], ['0a', '0b']],
  [
    ['0a', '0b'],
    ['0b', '0a'],
  ],
  [['0b', '0a'], ['0b']],
  [['0a'], ['0b', '0a']],
];

t.test('lets any two replicas with a hash key in common agree on who holds an id', async (t) => {
  const users = fc.constantFrom<CustodyUser>(OWNER, THIEF, { account: 'a1' }, { 'device:m': 'd2' }, {});
  const uses = fc.record({ user: users, place: fc.nat(1) });
  let replays = 0;
  for (const [first = [], second = []] of ROLL_OUTS) {
    const { open } = deploy();
    const [twin, ...replicas] = [await open(t, '0c'), await open(t, ...first), await open(t, ...second)];
    await twin.redis.client.flushall();
    let id = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(uses, { minLength: 2, maxLength: 8 }), async (steps) => {
        id += 2;
        for (const { user, place } of steps) {
          const replica = replicas[place];
          if (replica === undefined) return false;
          const [{ loss: _, ...told }, { loss: __, ...expected }] = [
            await replica.use(user, id),
            await twin.use(user, id + 1),
          ];
          if (expected.isBoundElsewhere) replays += 1;
          if (
            JSON.stringify({ ...told, firstUsedAtMs: 0 }) !==
            JSON.stringify({ ...expected, firstUsedAtMs: 0 })
          )
            return false;
        }
        return true;
      }),
      { numRuns: 60, seed: 20261129 },
    );
  }
  t.ok(replays > 100, `${replays} replays were told by both as by one`);
});

t.test('carries a binding to the new key with its life, expiry and age', async (t) => {
  const { clock, open } = deploy();
  const old = await open(t, '0a');
  const { firstUsedAtMs } = await old.use(OWNER);
  const validUntilMs = clock.nowMs() + 40 * RETENTION_MS;
  old.store.keep([namesOf(1, OWNER, ['0a'])[0]?.key ?? ''], validUntilMs);
  await old.settle();
  clock.advance(10_000);
  const both = await open(t, '0b', '0a');
  const carried = { uses: 2, firstUsedAtMs, validUntilMs, isKept: true, isBoundElsewhere: false };
  t.match(await both.use(OWNER), carried);
  const key = both.redis.keys.custody(namesOf(1, OWNER, ['0b'])[0]?.key ?? '');
  t.ok((await both.redis.client.pttl(key)) > 39 * RETENTION_MS);
  t.match(await both.use(THIEF), { uses: 3, isBoundElsewhere: true });
  const young = await open(t, '0b');
  t.match(await young.use(THIEF), { ...carried, uses: 4, isBoundElsewhere: true });
});

t.test('does not know custody of ids that may be bound under a key that is not known here', async (t) => {
  const { clock, open } = deploy();
  const old = await open(t, '0a');
  await old.use(OWNER);
  const lastUsedAtMs = clock.nowMs() + 1_000;
  clock.advance(60_000);
  const young = await open(t, '0b');
  t.same(young.told, ['0a'], 'as soon as it starts');
  t.match(young.store.unknownKey(), { keyId: '0a', lastUsedAtMs });
  const record = await young.use(THIEF);
  t.match(record, { uses: 1, loss: { noticedAtMs: lastUsedAtMs, overAtMs: lastUsedAtMs + RETENTION_MS } });
  t.equal(isInDoubt(record, clock.nowMs() - 120_000), true);
  t.equal(isInDoubt(record, clock.nowMs()), false, 'an id that is younger than the last use under that key');
  clock.advance(60_000);
  const again = await old.use(OWNER);
  t.equal(isInDoubt(again, clock.nowMs() - 70_000), true, 'nor does the other, of what came between');
  t.match(old.store.unknownKey(), { keyId: '0b' });
  clock.advance(RETENTION_MS + 1_000);
  t.equal(young.store.unknownKey(), null, 'the retention of what was bound so has ended');
});

t.test('takes no key for unknown that is looked up everywhere', async (t) => {
  const { open } = deploy();
  const [old, first, second] = [await open(t, '0a'), await open(t, '0a', '0b'), await open(t, '0b', '0a')];
  for (const { use } of [old, first]) t.equal((await use(OWNER)).loss, null);
  t.equal(old.store.unknownKey(), null);
  t.equal((await second.use(OWNER)).loss, null);
  t.equal((await old.use(OWNER)).loss, null, 'custody is in the key that both know');
  t.match(old.store.unknownKey(), { keyId: '0b' }, 'but evidence is kept where this one cannot purge it');
  t.equal(first.store.unknownKey(), null);
});

t.test('takes bindings of the former layout for a loss', async (t) => {
  const { clock, open, prefix } = deploy();
  await server.command(['SET', `${prefix}:v1:custody-began:{ab}`, 'x 0']);
  const { use } = await open(t, '0a');
  t.match((await use(THIEF)).loss, { noticedAtMs: clock.nowMs() });
});
