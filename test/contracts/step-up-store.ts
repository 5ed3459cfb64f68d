import type { Test } from 'tap';
import type { StepUpStore, SubjectHashes } from '../../src/application/step-up/step-up-store.ts';
import type { StepUp, StepUpSubject } from '../../src/domain/step-up/step-up.ts';
import { createRedisGenerations } from '../../src/stores/redis/generations.ts';
import type { RedisHandle } from '../../src/stores/redis/handle.ts';
import { createRedisStepUpStore } from '../../src/stores/step-up/redis-store.ts';
import { createManualClock, type ManualClock } from '../support/test-app.ts';

/** One implementation of the store, as the suite needs it. */
export interface StepUpStoreTwin {
  readonly id: string;
  /** Opens an empty store that is ready and ends with the test. */
  open(t: Test, clock: ManualClock): Promise<StepUpStore>;
}

/** The store in Redis, of a process with one hash key. */
export async function openRedisStepUps(redis: RedisHandle, clock: ManualClock): Promise<StepUpStore> {
  const keyIds = ['aa'];
  const generations = createRedisGenerations({ redis, clock, keyIds, retentionMs: LIFE_MS });
  const store = createRedisStepUpStore({ redis, clock, keyIds, generations });
  // A batch knows the scripts that were declared before it began, which looking at generations did.
  await redis.client.ping();
  return store;
}

/** A hash of 32 digits. */
export const hashOf = (name: string): string =>
  Buffer.from(name.padEnd(16, '.')).toString('hex').slice(0, 32);

const TELEMETRY = hashOf('t1');
const [DEVICE, OTHER_DEVICE] = [hashOf('d1'), hashOf('d2')];
const [ACCOUNT, OTHER_ACCOUNT] = [hashOf('a1'), hashOf('a2')];
const SUBJECT: StepUpSubject = { telemetry: TELEMETRY, devices: [DEVICE], account: ACCOUNT };
const LIFE_MS = 86_400_000;

/** Everything that every store of step-ups promises. */
export function testStepUpStore(t: Test, twin: StepUpStoreTwin): void {
  const open = async (t: Test) => {
    const clock = createManualClock();
    const store = await twin.open(t, clock);
    // Without Redis, nothing of before the process began counts.
    clock.advance(120_000);
    const find = async (changed: Partial<StepUpSubject> = {}) =>
      store.find({ ...SUBJECT, ...changed }, LIFE_MS);
    const add = async (stepUp: Partial<StepUp> = {}, changed: Partial<StepUpSubject> = {}) =>
      store.add(
        { ...SUBJECT, ...changed },
        { atMs: clock.nowMs(), method: 'otp', acr: 'urn:x', ...stepUp },
        LIFE_MS,
      );
    const forget = async (hashes: Partial<SubjectHashes>, voidUntilMs: number | null = clock.nowMs()) =>
      store.forget({ telemetry: [], devices: [], accounts: [], ...hashes }, voidUntilMs);
    return { clock, store, find, add, forget };
  };

  t.test('finds what was added, for the same subject alone', async (t) => {
    const { clock, find, add } = await open(t);
    const atMs = clock.nowMs();
    t.equal(await find(), 'none');
    t.equal(await add(), 'kept');
    clock.advance(1_000);
    t.strictSame(await find(), { atMs, method: 'otp', acr: 'urn:x' });
    t.equal(await find({ telemetry: hashOf('t2') }), 'none');
    t.equal(await find({ devices: [OTHER_DEVICE] }), 'none', 'a telemetry id copied to another device');
    t.equal(await find({ devices: [DEVICE, OTHER_DEVICE] }), 'none');
    t.equal(await find({ devices: [] }), 'none');
    t.equal(await find({ account: null }), 'none', 'leaving the account out');
    t.match(await find(), { atMs }, 'none of them ended it');
  });

  t.test('tells a person what is kept of each part, the latest first', async (t) => {
    const { clock, store, add, forget } = await open(t);
    const [older, newer] = [clock.nowMs() - 5_000, clock.nowMs()];
    t.strictSame(await store.kept('telemetry', TELEMETRY), []);
    t.strictSame(await store.kept('device', DEVICE), []);
    await add({ atMs: older });
    await add({ atMs: newer, method: null, acr: null }, { devices: [DEVICE, OTHER_DEVICE], account: null });
    await add({ atMs: older }, { telemetry: hashOf('t2'), devices: [], account: OTHER_ACCOUNT });
    const first = { ...SUBJECT, atMs: older, method: 'otp', acr: 'urn:x' };
    const both = { telemetry: TELEMETRY, devices: [DEVICE, OTHER_DEVICE], account: null };
    const second = { ...both, atMs: newer, method: null, acr: null };
    t.strictSame(await store.kept('telemetry', TELEMETRY), [second, first]);
    t.strictSame(await store.kept('device', DEVICE), [second, first]);
    t.strictSame(await store.kept('device', OTHER_DEVICE), [second]);
    t.strictSame(await store.kept('account', ACCOUNT), [first]);
    t.match(await store.kept('account', OTHER_ACCOUNT), [{ devices: [], account: OTHER_ACCOUNT }]);
    await forget({ telemetry: [TELEMETRY] });
    t.strictSame(await store.kept('device', DEVICE), [], 'what has ended is not told');
  });

  t.test('has none for certain of a telemetry id that was never told', async (t) => {
    const { store, add } = await open(t);
    await add();
    t.equal(store.mayHave(TELEMETRY), true);
    if (twin.id === 'memory') t.equal(store.mayHave(hashOf('t2')), false);
  });

  t.test('keeps what was not told as such', async (t) => {
    const { find, add, clock } = await open(t);
    await add({ method: null, acr: null }, { devices: [], account: null });
    t.strictSame(await find({ devices: [], account: null }), {
      atMs: clock.nowMs(),
      method: null,
      acr: null,
    });
    await add({ method: null });
    t.match(await find(), { method: null, acr: 'urn:x' });
  });

  t.test('ends every step-up of a telemetry id with another account', async (t) => {
    const { find, add } = await open(t);
    await add();
    await add({}, { account: null });
    await add({}, { telemetry: hashOf('t2') });
    t.equal(await find({ account: OTHER_ACCOUNT }), 'none');
    t.equal(await find(), 'none');
    t.equal(await find({ account: null }), 'none');
    t.match(await find({ telemetry: hashOf('t2') }), { method: 'otp' }, 'but of no other telemetry id');
  });

  t.test('remembers the account that is first given after a step-up without one', async (t) => {
    const { find, add } = await open(t);
    await add({}, { account: null });
    t.equal(await find({ devices: [OTHER_DEVICE] }), 'none');
    t.match(await find({ account: null }), { method: 'otp' });
    t.equal(await find({ account: OTHER_ACCOUNT }), 'none');
    t.equal(await find({ account: null }), 'none');
  });

  t.test('ends the step-ups of another account when one is added', async (t) => {
    const { clock, find, add } = await open(t);
    await add();
    clock.advance(1);
    await add({ method: 'hwk' }, { account: OTHER_ACCOUNT });
    t.match(await find({ account: OTHER_ACCOUNT }), { method: 'hwk' });
    t.equal(await find(), 'none');
  });

  t.test('keeps one with the account and one without it side by side', async (t) => {
    const { find, add } = await open(t);
    await add({ method: 'otp' });
    await add({ method: 'hwk' }, { account: null });
    await add({ method: 'pin' }, { devices: [OTHER_DEVICE] });
    t.match(await find(), { method: 'otp' });
    t.match(await find({ account: null }), { method: 'hwk' });
    t.match(await find({ devices: [OTHER_DEVICE] }), { method: 'pin' });
  });

  t.test('keeps the later of two, whichever is told first', async (t) => {
    const { clock, find, add } = await open(t);
    const atMs = clock.nowMs();
    await add({ method: 'late' });
    t.equal(await add({ method: 'early', atMs: atMs - 60_000 }), 'kept');
    t.match(await find(), { method: 'late', atMs });
    await add({ method: 'again' });
    t.match(await find(), { method: 'again', atMs });
  });

  t.test('keeps the eight latest of a telemetry id', async (t) => {
    const { clock, find, add } = await open(t);
    const devices = Array.from({ length: 10 }, (_, place) => [hashOf(`device ${place}`)]);
    for (const each of devices) {
      clock.advance(1_000);
      await add({}, { devices: each });
    }
    const found = await Promise.all(devices.map((each) => find({ devices: each })));
    t.same(
      found.map((each) => each === 'none'),
      [true, true, ...Array(8).fill(false)],
    );
  });

  t.test('forgets by each part of the subject', async (t) => {
    const { clock, find, add, forget } = await open(t);
    const other = { telemetry: hashOf('t2'), devices: [OTHER_DEVICE], account: OTHER_ACCOUNT };
    for (const hashes of [{ telemetry: [TELEMETRY] }, { devices: [DEVICE] }, { accounts: [ACCOUNT] }]) {
      await add();
      await add({}, other);
      t.equal(await forget(hashes), 1, Object.keys(hashes).join());
      t.equal(await find(), 'none');
      t.match(await find(other), { method: 'otp' });
      t.equal(await forget(hashes), 0);
      clock.advance(1);
    }
  });

  t.test('forgets by a device among several, and by an account that was given later', async (t) => {
    const { clock, store, find, add, forget } = await open(t);
    await add({}, { devices: [DEVICE, OTHER_DEVICE] });
    t.equal(await forget({ devices: [OTHER_DEVICE] }), 1);
    t.equal(await find({ devices: [DEVICE, OTHER_DEVICE] }), 'none');
    clock.advance(1);
    await add({}, { account: null });
    await find();
    // What the look learnt is noted beside the answer; the next command comes after it.
    await store.find({ ...SUBJECT, telemetry: hashOf('t3') }, LIFE_MS);
    t.equal(await forget({ accounts: [ACCOUNT] }), 1);
    t.equal(await find({ account: null }), 'none');
  });

  t.test('forgets nothing where there is nothing', async (t) => {
    const { forget } = await open(t);
    t.equal(await forget({ telemetry: [TELEMETRY], devices: [DEVICE], accounts: [ACCOUNT] }), 0);
    t.equal(await forget({}), 0);
  });

  t.test('keeps void what was ended, however often it is told once more', async (t) => {
    for (const hashes of [{ telemetry: [TELEMETRY] }, { devices: [DEVICE] }, { accounts: [ACCOUNT] }]) {
      const { clock, find, add, forget } = await open(t);
      const atMs = clock.nowMs();
      await add({ atMs });
      clock.advance(1_000);
      const endedMs = clock.nowMs();
      t.equal(await forget(hashes), 1, Object.keys(hashes).join());
      clock.advance(1_000);
      for (const told of [atMs, endedMs - 1, endedMs]) {
        t.equal(await add({ atMs: told }), 'void');
        t.equal(await find(), 'none');
      }
      t.equal(await add({ atMs: endedMs + 1 }), 'kept', 'one that is completed afterwards counts');
      t.match(await find(), { atMs: endedMs + 1 });
      t.equal(await add({ atMs }), 'void');
      t.match(await find(), { atMs: endedMs + 1 }, 'and is not touched by the other');
    }
  });

  t.test('keeps void what is told for the first time after it was ended', async (t) => {
    for (const hashes of [{ telemetry: [TELEMETRY] }, { devices: [DEVICE] }, { accounts: [ACCOUNT] }]) {
      const { clock, find, add, forget } = await open(t);
      const atMs = clock.nowMs();
      clock.advance(1_000);
      t.equal(await forget(hashes), 0);
      t.equal(await add({ atMs }), 'void', Object.keys(hashes).join());
      t.equal(await find(), 'none');
      t.equal(await add({ atMs }, { telemetry: hashOf('t2'), devices: [], account: null }), 'kept');
    }
  });

  t.test('ends what was ended late for good, though its time is later', async (t) => {
    const { clock, find, add, forget } = await open(t);
    const atMs = clock.nowMs();
    await add({ atMs });
    t.equal(await forget({ telemetry: [TELEMETRY] }, atMs - 5_000), 1, 'by a clock that is behind');
    t.equal(await add({ atMs }), 'void');
    t.equal(await forget({ telemetry: [TELEMETRY] }, atMs - 10_000), 0, 'no later end takes it back');
    t.equal(await add({ atMs }), 'void');
    t.equal(await find(), 'none');
    t.equal(await add({ atMs: atMs + 1 }), 'kept');
  });

  t.test('knows again what was told with a time ahead', async (t) => {
    const { clock, find, add, forget } = await open(t);
    const ahead = { atMs: clock.nowMs(), toldAtMs: clock.nowMs() + 120_000, method: null, acr: '7' };
    await add(ahead);
    t.strictSame(await find(), ahead);
    clock.advance(1_000);
    await forget({ telemetry: [TELEMETRY] });
    clock.advance(1_000);
    t.equal(await add({ ...ahead, atMs: clock.nowMs() }), 'void');
    clock.advance(300_000);
    t.equal(await add({ ...ahead, atMs: ahead.toldAtMs }), 'void', 'nor when its time has come');
    t.equal(await add({ atMs: ahead.toldAtMs + 1 }), 'kept');
  });

  t.test('tells up to when step-ups of a subject are void', async (t) => {
    for (const hashes of [{ telemetry: [TELEMETRY] }, { devices: [DEVICE] }, { accounts: [ACCOUNT] }]) {
      const { clock, store, find, add, forget } = await open(t);
      t.ok(Number(await store.voidUntil(SUBJECT)) < clock.nowMs() - 1_000);
      await forget(hashes, clock.nowMs() - 1_000);
      t.equal(await store.voidUntil(SUBJECT), clock.nowMs() - 1_000, Object.keys(hashes).join());
      await add();
      t.equal(await forget(hashes, null), 1);
      t.equal(await find(), 'none');
      t.equal(await store.voidUntil(SUBJECT), clock.nowMs() - 1_000, 'what goes on elsewhere is not void');
      t.equal(await add(), 'kept');
    }
  });

  t.test('keeps void what another account has ended', async (t) => {
    const { clock, find, add } = await open(t);
    const [atMs, laterMs] = [clock.nowMs() - 1, clock.nowMs()];
    await add({ atMs });
    t.equal(await find({ account: OTHER_ACCOUNT }), 'none');
    t.equal(await add({ atMs }), 'void');
    t.equal(await find(), 'none');
    t.equal(await add({ atMs: laterMs }), 'kept');
    clock.advance(1);
    t.equal(await add({}, { account: OTHER_ACCOUNT }), 'kept');
    t.equal(await add({ atMs: laterMs }), 'void', 'in the step that ends it and keeps its own');
  });

  t.test('keeps void what is told while it is ended, whichever comes first', async (t) => {
    for (const hashes of [{ telemetry: [TELEMETRY] }, { devices: [DEVICE] }, { accounts: [ACCOUNT] }])
      for (const isAddedFirst of [true, false]) {
        const { clock, find, add, forget } = await open(t);
        const atMs = clock.nowMs() - 1;
        const acts = [() => add({ atMs }), () => forget(hashes), () => add({ atMs })];
        await Promise.all((isAddedFirst ? acts : acts.slice(1)).map((act) => act()));
        t.equal(await find(), 'none', `${Object.keys(hashes).join()} ${isAddedFirst}`);
        t.equal(await add({ atMs }), 'void');
      }
  });
}
