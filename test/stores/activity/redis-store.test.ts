import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { ActivityChange, ActivityEntity } from '../../../src/application/activity/activity-store.ts';
import { measureNumber } from '../../../src/domain/activity/activity-measures.ts';
import { SEEN_KINDS } from '../../../src/domain/activity/activity-parts.ts';
import { acceptedOf, countAfter, findValue, REVOKED } from '../../../src/domain/activity/activity-state.ts';
import { LAYOUT } from '../../../src/stores/activity/activity-codec.ts';
import { createRedisActivityStore } from '../../../src/stores/activity/redis-store.ts';
import { createRedisGenerations } from '../../../src/stores/redis/generations.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { createManualClock, type ManualClock, until } from '../../support/test-app.ts';
import { watchRedisStore } from '../redis/watched-store.ts';

const DEVICE: ActivityEntity = { part: 'device', hash: '00112233445566778899aabbccddeeff' };
const DECISIONS = measureNumber('decisions');
const NOTHING = { values: [], acceptance: null, measures: [] } as const;
const COUNTED: ActivityChange = { entity: DEVICE, ...NOTHING, measures: [DECISIONS] };
const RETENTION_MS = 3_600_000;

const server = await startRedisServer(t);
let deployments = 0;

t.beforeEach(async () => {
  deployments += 1;
  await server.command('FLUSHALL');
});

/** One process of a deployment, which has looked at everything there is. */
async function openProcess(
  t: Test,
  clock: ManualClock,
  keyIds: readonly string[] = ['aa'],
  limits: { readonly changesMax?: number } = {},
) {
  const keyPrefix = `activity-${deployments}`;
  const options = { url: server.url, clock, keyPrefix, probeIntervalMs: 50 };
  const { redis, ready, reached } = watchRedisStore(t, options);
  await ready();
  const generations = createRedisGenerations({ redis, clock, keyIds, retentionMs: RETENTION_MS });
  const store = createRedisActivityStore({ redis, clock, keyIds, generations, ...limits });
  const settle = async () => {
    await redis.client.ping();
    await setImmediate();
  };
  await settle();
  /** How many decisions are counted of the device, and since when all of them are. */
  const look = async () => {
    const known = await store.take({ entity: DEVICE, ...NOTHING });
    return known && [countAfter(known.state, DECISIONS, 0), known.sinceSeconds];
  };
  return { store, redis, reached, settle, look };
}

const secondsOf = (clock: ManualClock) => Math.ceil(clock.nowMs() / 1000);

t.test('has missed nothing in a new deployment, and in a process that restarts', async (t) => {
  const clock = createManualClock();
  const first = await openProcess(t, clock);
  t.equal(await first.store.addNow([COUNTED]), true);
  t.same(await first.look(), [1, 0]);
  t.same(await (await openProcess(t, clock)).look(), [1, 0]);
});

t.test('does not know what was before a loss, in every process, from the first request on', async (t) => {
  const clock = createManualClock();
  const [first, second] = [await openProcess(t, clock), await openProcess(t, clock)];
  t.equal(await first.store.addNow([COUNTED]), true);
  t.same(await second.look(), [1, 0]);
  clock.advance(60_000);
  await server.command('FLUSHALL');
  const lostAt = secondsOf(clock);
  t.same(await second.look(), [0, lostAt]);
  clock.advance(60_000);
  t.same(await first.look(), [0, lostAt]);
  t.same(await (await openProcess(t, clock)).look(), [0, lostAt]);
});

t.test('finds a loss out in what nobody waits for, too', async (t) => {
  const clock = createManualClock();
  const { store, look } = await openProcess(t, clock);
  t.same(await look(), [0, 0]);
  clock.advance(60_000);
  await server.command('FLUSHALL');
  const lostAt = secondsOf(clock);
  t.equal(await store.addNow([COUNTED]), true);
  clock.advance(60_000);
  t.same(await look(), [1, lostAt]);
});

t.test('does not know what others keep under a hash key that is not known here', async (t) => {
  const clock = createManualClock();
  const old = await openProcess(t, clock, ['aa']);
  t.equal(await old.store.addNow([COUNTED]), true);
  clock.advance(120_000);
  const both = await openProcess(t, clock, ['bb', 'aa']);
  t.same(await both.look(), [1, 0], 'which has the old key too');
  t.equal(await both.store.addNow([COUNTED]), true);
  const young = await openProcess(t, clock, ['bb']);
  t.equal(await young.store.addNow([COUNTED]), true);
  const [, since] = (await young.look()) ?? [];
  t.ok(Number(since) > 0 && Number(since) <= secondsOf(clock) - 110, 'since the old key was used alone');
});

t.test('is unknown while Redis is down, and counts what was decided meanwhile', async (t) => {
  const clock = createManualClock();
  const { store, redis, reached, look } = await openProcess(t, clock);
  t.same(await look(), [0, 0]);
  const down = reached('down', 1).then(async () => {
    const known = await store.take(COUNTED);
    const isKept = await store.addNow([COUNTED]);
    const claimed = await store.claim(['e'.repeat(32)]);
    store.add([COUNTED, COUNTED]);
    return [known, isKept, claimed, await store.forget([DEVICE])];
  });
  await server.command('CLIENT KILL TYPE normal');
  t.same(await down, [null, false, null, null]);
  store.add([COUNTED, { ...COUNTED, entity: { ...DEVICE, part: 'ip' } }]);
  await until('all is counted', async () => redis.guard.state() === 'up' && (await look())?.[0] === 1);
  t.pass('but what was to be forgotten before');
});

t.test('accepts nothing late that another process has revoked meanwhile', async (t) => {
  const clock = createManualClock();
  const [here, there] = [await openProcess(t, clock), await openProcess(t, clock)];
  const [devices, ips] = [SEEN_KINDS.indexOf('devices'), SEEN_KINDS.indexOf('ips')];
  const entity: ActivityEntity = { part: 'account', hash: DEVICE.hash };
  const using = (device: number | null, ip: number | null) =>
    SEEN_KINDS.map((_, kind) => (kind === devices ? device : kind === ips ? ip : null));
  const acceptedFor = async (kind: number, name: number) => {
    const { state } = (await there.store.take({ entity, ...NOTHING })) ?? {};
    return state && acceptedOf(state, findValue(state, kind, name));
  };
  // The revoked device stands last of its kind, before another, and beside one that has had its time.
  const values = [using(7, 8), using(9, null), using(10, 8)];
  here.redis.client.disconnect();
  await until('it is down', () => here.redis.guard.state() === 'down');
  for (const each of values)
    here.store.add([{ entity, values: each, acceptance: 'accepted', measures: [DECISIONS] }]);
  const revoked = { entity, values: using(7, null), acceptance: 'revoked', measures: [] } as const;
  const other = { ...revoked, values: using(10, null) };
  t.equal(await there.store.addNow([revoked, other]), true);
  await here.redis.client.connect();
  await until('all is counted', async () => {
    const known = await there.store.take({ entity, ...NOTHING });
    return known !== null && countAfter(known.state, DECISIONS, 0) === values.length;
  });
  t.equal(await acceptedFor(devices, 7), REVOKED);
  t.equal(await acceptedFor(devices, 10), REVOKED);
  t.equal(await acceptedFor(devices, 9), Math.floor(clock.nowMs() / 1000), 'but what nobody has revoked');
  t.equal(await acceptedFor(ips, 8), Math.floor(clock.nowMs() / 1000));
  clock.advance(1_000);
  t.equal(await here.store.addNow([{ ...revoked, acceptance: 'accepted' }]), true);
  t.equal(
    await acceptedFor(devices, 7),
    Math.floor(clock.nowMs() / 1000),
    'what is decided later accepts it again',
  );
});

t.test('settles later what Redis could not take', async (t) => {
  const clock = createManualClock();
  const [first, other] = [await openProcess(t, clock), await openProcess(t, clock)];
  const name = 'e'.repeat(32);
  t.same(await first.store.claim([name]), ['new']);
  const down = first.reached('down', 1).then(() => first.store.settle([name]));
  await server.command('CLIENT KILL TYPE normal');
  await down;
  await until('the other knows that it is settled', async () => {
    const [claim] = (await other.store.claim([name])) ?? [];
    return claim === 'done';
  });
  t.same(await first.store.claim([name]), ['done']);
});

t.test('tells every process what one of them has lost', async (t) => {
  const clock = createManualClock();
  const other = await openProcess(t, clock);
  t.equal(await other.store.addNow([COUNTED]), true);
  t.same(await other.look(), [1, 0]);
  const { store, redis, reached, settle } = await openProcess(t, clock, ['aa'], { changesMax: 2 });
  clock.advance(60_000);
  const lostAt = secondsOf(clock);
  const down = reached('down', 1).then(() => store.add([COUNTED, COUNTED, COUNTED, COUNTED]));
  await server.command('CLIENT KILL TYPE normal');
  await down;
  clock.advance(60_000);
  await until('the other hears of it', async () => (await other.look())?.[1] === lostAt);
  await until('it is up', () => redis.guard.state() === 'up');
  await settle();
  t.same(
    await (await openProcess(t, clock)).look().then((known) => known?.[1]),
    lostAt,
    'whoever comes later',
  );
  await server.command('FLUSHALL');
  t.same((await other.look())?.[1], secondsOf(clock), 'a later loss is more');
});

t.test('takes what is not its own for unknown', async (t) => {
  const clock = createManualClock();
  const { store, redis, look } = await openProcess(t, clock);
  const key = redis.keys.activity('d', DEVICE.hash);
  await redis.client.set(key, 'something else that is long enough');
  t.equal(await look(), null);
  t.equal(await store.addNow([COUNTED]), false);
  await redis.client.set(key, Buffer.alloc(60, LAYOUT));
  t.equal(await look(), null, 'not even where it begins like its own');
  await redis.client.del(key);
  await redis.client.rpush(key, 'a list');
  t.equal(await look(), null);
  await redis.client.del(key);
  await redis.client.set(redis.keys.custodyGeneration(DEVICE.hash), 'no generation');
  t.equal(await look(), null);
  t.equal(await store.forget([DEVICE]), 1);
});

t.test('keeps an account for longer than a device', async (t) => {
  const { store, redis } = await openProcess(t, createManualClock());
  const account: ActivityEntity = { ...DEVICE, part: 'account' };
  t.equal(await store.addNow([COUNTED, { ...COUNTED, entity: account }]), true);
  const days = async (letter: string) =>
    Math.round((await redis.client.pttl(redis.keys.activity(letter, DEVICE.hash))) / 86_400_000);
  t.same([await days('d'), await days('a')], [30, 90]);
});

t.test('does not know of a visitor what others saw while another hash key was in force', async (t) => {
  const clock = createManualClock();
  const visitorOf = async (...keyIds: readonly string[]) => {
    const { store, settle } = await openProcess(t, clock, keyIds);
    // Of another group, as the same visitor has under another key.
    const entity = { part: 'visitor', hash: keyIds[0] === 'old' ? '1'.repeat(32) : '2'.repeat(32) } as const;
    const look = async (lacksOtherNames = true) => {
      await settle();
      return (await store.take({ entity: { ...entity, lacksOtherNames }, ...NOTHING }))?.sinceSeconds;
    };
    return { look, count: () => store.addNow([{ ...COUNTED, entity }]) };
  };
  const old = await visitorOf('old');
  const ready = await visitorOf('old', 'young');
  t.equal(await old.count(), true);
  t.same([await old.look(), await ready.look()], [0, 0], 'as long as the same key is in force');
  clock.advance(600_000);
  t.equal(await ready.count(), true);
  const changedAt = secondsOf(clock);
  clock.advance(60_000);
  const young = await visitorOf('young', 'old');
  await until('it has looked at all groups', async () => Number(await young.look()) < secondsOf(clock));
  const since = Number(await young.look());
  t.ok(since > changedAt && since <= changedAt + 12, `${since - changedAt} seconds after the latest`);
  t.equal((await (await visitorOf('young')).look()) ?? 0, since, 'and without the old key');
  t.equal(await young.look(false), 0, 'evidence that has a name under every key is all that there is');
});
