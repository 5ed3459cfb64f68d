import type { Test } from 'tap';
import type {
  ActivityChange,
  ActivityEntity,
  ActivityStore,
  KnownActivity,
} from '../../src/application/activity/activity-store.ts';
import { measureNumber } from '../../src/domain/activity/activity-measures.ts';
import { SEEN_KINDS, type SeenKind } from '../../src/domain/activity/activity-parts.ts';
import { activitySignals } from '../../src/domain/activity/activity-signals.ts';
import { REVOKED, type SeenNames, valuesOf } from '../../src/domain/activity/activity-state.ts';
import type { ActivityView } from '../../src/domain/activity/activity-view.ts';
import { createRedisActivityStore } from '../../src/stores/activity/redis-store.ts';
import { createRedisGenerations } from '../../src/stores/redis/generations.ts';
import type { RedisHandle } from '../../src/stores/redis/handle.ts';
import { createManualClock, type ManualClock } from '../support/test-app.ts';

/** One implementation of the store, as the suite needs it. */
export interface ActivityStoreTwin {
  readonly id: string;
  /** Opens an empty store that is ready and ends with the test. */
  open(t: Test, clock: ManualClock): Promise<ActivityStore>;
}

/** The store in Redis as a process has it. */
export async function openRedisActivity(redis: RedisHandle, clock: ManualClock): Promise<ActivityStore> {
  const keyIds = ['aa'];
  const generations = createRedisGenerations({ redis, clock, keyIds, retentionMs: HOUR });
  const store = createRedisActivityStore({ redis, clock, keyIds, generations });
  // A batch knows the scripts that were declared before it began, which looking at generations did.
  await redis.client.ping();
  return store;
}

const ACCOUNT: ActivityEntity = { part: 'account', hash: '00112233445566778899aabbccddeeff' };
const DEVICE: ActivityEntity = { part: 'device', hash: 'ffeeddccbbaa99887766554433221100' };
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

function seenAs(kind: SeenKind, number: number): SeenNames {
  return SEEN_KINDS.map((each) => (each === kind ? 0x123400000000 + number : null));
}

const NOTHING = { values: [], acceptance: null, measures: [] } as const;

/** Everything that every activity store promises. */
export function testActivityStore(t: Test, twin: ActivityStoreTwin): void {
  const open = async (t: Test) => {
    const clock = createManualClock(1_800_000_000_000);
    const store = await twin.open(t, clock);
    const take = async (entity: ActivityEntity, change: Partial<ActivityChange> = {}) => {
      const known = await store.take({ entity, ...NOTHING, ...change });
      if (known === null) throw new Error('activity is unknown');
      return known;
    };
    /** Sees one value, and reads signals of the entity. */
    const read = async (
      entity: ActivityEntity,
      names: readonly string[],
      change: Partial<ActivityChange> = {},
    ) => {
      const known = await take(entity, change);
      return readSignals(entity, known, names, change.values ?? [], clock);
    };
    return { clock, store, take, read };
  };

  t.test('counts what was added, within each window', async (t) => {
    const { clock, store, read } = await open(t);
    const [decisions, blocks] = [measureNumber('decisions'), measureNumber('blocks')];
    const names = ['decisions_1m', 'decisions_10m', 'decisions_1h', 'decisions_30d', 'blocks_30d'];
    t.same(await read(DEVICE, names), [0, 0, 0, 0, 0]);
    store.add([{ entity: DEVICE, ...NOTHING, measures: [decisions, blocks] }]);
    store.add([{ entity: DEVICE, ...NOTHING, measures: [decisions] }]);
    t.same(await read(DEVICE, names), [2, 2, 2, 2, 1]);
    clock.advance(2 * MINUTE);
    t.equal(await store.addNow([{ entity: DEVICE, ...NOTHING, measures: [decisions] }]), true);
    t.same(await read(DEVICE, names), [1, 3, 3, 3, 1]);
    clock.advance(20 * MINUTE);
    t.same(await read(DEVICE, names), [0, 0, 3, 3, 1]);
    clock.advance(29 * DAY);
    t.same(await read(DEVICE, names), [0, 0, 0, 3, 1]);
    t.same(await read(ACCOUNT, names), [0, 0, 0, 0, 0], 'nothing of another entity');
  });

  t.test('counts distinct values, each once, this one included', async (t) => {
    const { clock, read } = await open(t);
    const names = ['accounts_10m', 'accounts_1h', 'accounts_24h', 'ips_1h'];
    const seeing = (number: number) => read(DEVICE, names, { values: seenAs('accounts', number) });
    t.same(await seeing(1), [1, 1, 1, 0]);
    t.same(await seeing(1), [1, 1, 1, 0]);
    t.same(await seeing(2), [2, 2, 2, 0]);
    clock.advance(20 * MINUTE);
    t.same(await seeing(3), [1, 3, 3, 0]);
    clock.advance(50 * MINUTE);
    t.same(await seeing(1), [1, 2, 3, 0]);
  });

  t.test('counts up to 64 distinct values exactly, and stops there', async (t) => {
    const { clock, take, read } = await open(t);
    for (let number = 1; number <= 63; number += 1)
      await take(DEVICE, { values: seenAs('telemetry_ids', number) });
    const names = ['telemetry_ids_1m', 'telemetry_ids_1h'];
    const seeing = (number: number) => read(DEVICE, names, { values: seenAs('telemetry_ids', number) });
    t.same(await seeing(64), [64, 64]);
    for (let number = 65; number <= 140; number += 1) t.same(await seeing(number), [64, 64]);
    clock.advance(5 * MINUTE);
    t.same(await seeing(140), [1, 64]);
  });

  t.test('tells since when an entity and each pair is known', async (t) => {
    const { clock, read } = await open(t);
    const names = ['first_seen_seconds', 'device_first_seen_seconds', 'ip_first_seen_seconds'];
    const seeing = (device: number) => read(ACCOUNT, names, { values: seenAs('devices', device) });
    t.same(await seeing(1), [0, 0, undefined]);
    clock.advance(90_000);
    t.same(await seeing(2), [90, 0, undefined]);
    clock.advance(10_000);
    t.same(await seeing(1), [100, 100, undefined]);
    t.same(await seeing(2), [100, 10, undefined]);
  });

  t.test('knows a value of an account once it was accepted, for 30 days', async (t) => {
    const { clock, store, read } = await open(t);
    const values = seenAs('devices', 1);
    const seeing = (number = 1) =>
      read(ACCOUNT, ['known_device', 'first_seen_seconds'], { values: seenAs('devices', number) });
    t.same(await seeing(), [false, 0]);
    t.same(await seeing(), [false, 0], 'to be seen again makes nothing known');
    store.add([{ entity: ACCOUNT, ...NOTHING, values, acceptance: 'accepted' }]);
    t.same(await seeing(), [true, 0]);
    t.same(await seeing(2), [false, 0]);
    store.add([{ entity: ACCOUNT, ...NOTHING, values, acceptance: 'revoked' }]);
    t.same(await seeing(), [false, 0]);
    store.add([{ entity: ACCOUNT, ...NOTHING, values, acceptance: 'accepted' }]);
    clock.advance(29 * DAY);
    t.same(await seeing(), [true, 29 * 86_400]);
    clock.advance(2 * DAY);
    t.same(await seeing(), [false, 31 * 86_400]);
  });

  t.test('keeps the kinds of a part, and not its own', async (t) => {
    const { take } = await open(t);
    const values = SEEN_KINDS.map((_, kind) => kind + 1);
    const kept = async (entity: ActivityEntity) => {
      const { state } = await take(entity, { values });
      return SEEN_KINDS.filter((_, kind) => valuesOf(state, kind).length > 0);
    };
    t.same(
      await kept(ACCOUNT),
      SEEN_KINDS.filter((kind) => kind !== 'accounts'),
    );
    t.same(
      await kept(DEVICE),
      SEEN_KINDS.filter((kind) => kind !== 'devices' && kind !== 'places'),
    );
    t.same(await kept({ part: 'hardware', hash: DEVICE.hash.replace('f', 'e') }), ['accounts', 'devices']);
  });

  t.test(
    'dates what was told late to when it was, and keeps no place that was only taken back',
    async (t) => {
      const { clock, store, take } = await open(t);
      const PLACES = SEEN_KINDS.indexOf('places');
      const values = seenAs('places', 1);
      const now = clock.nowMs() / 1000;
      const accepting = async (acceptance: ActivityChange['acceptance'], atSeconds = now) => {
        await store.addNow([{ entity: ACCOUNT, ...NOTHING, values, acceptance, atSeconds }]);
        return [...valuesOf((await take(ACCOUNT)).state, PLACES)];
      };
      const name = values[PLACES];
      t.same(await accepting('revoked'), []);
      t.same(await accepting('accepted', now - 1_000), [name, now - 1_000, now - 1_000, now - 1_000]);
      t.same(await accepting('accepted'), [name, now - 1_000, now, now]);
      t.same(
        await accepting('accepted', now - 500),
        [name, now - 1_000, now, now],
        'and makes nothing older',
      );
      t.same(await accepting('revoked', now - 500), [name, now - 1_000, now, REVOKED]);
      t.same(
        await accepting('accepted', now - 400),
        [name, now - 1_000, now, now - 400],
        'the later label counts',
      );
    },
  );

  t.test('does not know whether a value is new where values had to make room', async (t) => {
    const { clock, take, read } = await open(t);
    await take(ACCOUNT, { values: seenAs('devices', 0), acceptance: 'accepted' });
    for (let number = 1; number <= 64; number += 1)
      await take(ACCOUNT, { values: seenAs('devices', number) });
    const names = ['known_device', 'device_first_seen_seconds', 'devices_1h'];
    const seeing = (number: number) => read(ACCOUNT, names, { values: seenAs('devices', number) });
    t.same(await seeing(0), [undefined, undefined, 64]);
    t.same(await seeing(99), [undefined, undefined, 64]);
    await take(ACCOUNT, { values: seenAs('devices', 99), acceptance: 'accepted' });
    t.same(await seeing(99), [true, undefined, 64]);
    clock.advance(31 * DAY);
    t.same(await seeing(100), [false, 0, 1], 'what made room is older than a month');
  });

  t.test('keeps counts of a busy month short, and never misses one', async (t) => {
    const { clock, take, read } = await open(t);
    const measures = [measureNumber('decisions'), measureNumber('challenges')];
    let last: KnownActivity | null = null;
    const times: number[] = [];
    for (let turn = 0; turn < 1_500; turn += 1) {
      clock.advance(turn < 1_200 ? 30 * MINUTE : 7_000);
      times.push(clock.nowMs());
      last = await take(DEVICE, { measures });
    }
    t.ok((last?.state.counts.length ?? 0) <= 3 * 400, `${last?.state.counts.length} numbers`);
    const windows = {
      '1m': MINUTE,
      '10m': 10 * MINUTE,
      '1h': HOUR,
      '24h': DAY,
      '7d': 7 * DAY,
      '30d': 30 * DAY,
    };
    for (const [window, ms] of Object.entries(windows)) {
      const [found = 0] = await read(DEVICE, [`challenges_${window}`]);
      const within = (length: number) => times.filter((time) => time > clock.nowMs() - length).length;
      const count = Number(found);
      t.ok(count >= within(ms), `${window}: ${count} of ${within(ms)}`);
      t.ok(count <= within(1.1 * ms), `${window}: ${count} of ${within(1.1 * ms)} in a tenth more`);
    }
  });

  t.test('makes each change whole, of many at once', async (t) => {
    const { store, read } = await open(t);
    const measures = [measureNumber('decisions')];
    const taken = await Promise.all(
      Array.from({ length: 300 }, async (_, turn) =>
        store.take({ entity: DEVICE, ...NOTHING, values: seenAs('accounts', turn % 40), measures }),
      ),
    );
    t.notOk(taken.includes(null));
    t.same(await read(DEVICE, ['decisions_1m', 'accounts_1m']), [300, 40]);
  });

  t.test('lets a name be claimed once', async (t) => {
    const { store } = await open(t);
    const [one, two] = ['a'.repeat(32), 'b'.repeat(32)];
    t.same(await store.claim([one, two]), ['new', 'new']);
    t.same(await store.claim([two, 'c'.repeat(32), two]), ['open', 'new', 'open'], 'it may yet fail');
    await store.unclaim([one]);
    await store.settle([two]);
    t.same(await store.claim([one, two]), ['new', 'done']);
    await store.unclaim([one, two]);
    t.same(await store.claim([one, two]), ['new', 'done'], 'what is settled stays');
  });

  t.test('forgets an entity, and says how many there were', async (t) => {
    const { clock, store, take, read } = await open(t);
    await take(DEVICE, { measures: [measureNumber('decisions')] });
    await take(ACCOUNT);
    clock.advance(5_000);
    t.equal(await store.forget([DEVICE, { part: 'ip', hash: DEVICE.hash.replace('f', 'e') }]), 1);
    t.same(await read(DEVICE, ['decisions_1h', 'first_seen_seconds']), [0, 0]);
    t.same(await read(ACCOUNT, ['first_seen_seconds']), [5]);
  });
}

/** The signals of these names, as a policy reads them. */
export function readSignals(
  { part }: ActivityEntity,
  { state, sinceSeconds }: KnownActivity,
  names: readonly string[],
  values: ActivityChange['values'],
  clock: ManualClock,
): readonly unknown[] {
  const own = SEEN_KINDS.map((_, kind) => values[kind] ?? null);
  const view: ActivityView = {
    state,
    sinceSeconds,
    nowSeconds: Math.floor(clock.nowMs() / 1000),
    keyPlace: 0,
    own,
  };
  const signals = activitySignals(part, []);
  return names.map((name) => {
    const signal = signals.find((each) => each.name === name);
    if (signal === undefined) throw new Error(`no signal ${name}`);
    return signal.read([view]);
  });
}
