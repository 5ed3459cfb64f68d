import type { Test } from 'tap';
import type { CustodyStore } from '../../src/application/custody/custody-store.ts';
import type { CustodyUser } from '../../src/domain/custody.ts';
import { createManualClock, type ManualClock } from '../support/test-app.ts';

/** How long the stores under test keep a binding. */
export const RETENTION_MS = 3_600_000;
/** How long they keep one that nobody asks them to keep. */
const BRIEF_LIFE_MS = 600_000;

/** One implementation of the store, as the suite needs it. */
export interface CustodyStoreTwin {
  readonly id: string;
  /** Opens an empty store that is ready and ends with the test. */
  open(t: Test, clock: ManualClock): Promise<OpenCustodyStore>;
}

export interface OpenCustodyStore {
  readonly store: CustodyStore;
  /**
   * Milliseconds for which the binding is still kept, by the store's own reckoning; null where there is none.
   * Waits for what was asked before.
   */
  lifeMs(key: string): Promise<number | null>;
}

const KEY = '00112233445566778899aabbccddeeff';
const OTHER_KEY = 'ffeeddccbbaa99887766554433221100';
/** What the clock of a real server may have moved on while a test looked. */
const SLACK_MS = 5_000;

/** Everything that every custody store promises. */
export function testCustodyStore(t: Test, twin: CustodyStoreTwin): void {
  const open = async (t: Test) => {
    const clock = createManualClock();
    const { store, lifeMs } = await twin.open(t, clock);
    const use = async (user: CustodyUser, key: string = KEY) => {
      const record = await store.use([{ key: key, user: user }]);
      if (record === null) throw new Error('custody is unknown');
      return record;
    };
    /** Whether each user in turn is told that the id is another's. */
    const verdictsOf = async (...users: readonly CustodyUser[]) => {
      const verdicts: boolean[] = [];
      for (const user of users) verdicts.push((await use(user)).isBoundElsewhere);
      return verdicts;
    };
    return { clock, store, lifeMs, use, verdictsOf };
  };

  t.test('tells the first use and its repeats', async (t) => {
    const { clock, use } = await open(t);
    const firstUsedAtMs = clock.nowMs();
    const user = { account: 'a1', 'device:m': 'd1' };
    const expected = {
      firstUsedAtMs,
      isBoundElsewhere: false,
      omitsDevice: false,
      omitsAccount: false,
      validUntilMs: null,
      isKept: false,
      loss: null,
    };
    t.strictSame(await use(user), { uses: 1, ...expected });
    clock.advance(1_500);
    t.strictSame(await use(user), { uses: 2, ...expected });
    t.strictSame(await use({}, OTHER_KEY), { ...expected, uses: 1, firstUsedAtMs: firstUsedAtMs + 1_500 });
  });

  t.test('tells another device and another account, counts them, and stays with the first', async (t) => {
    const { use, verdictsOf } = await open(t);
    const holder = { account: 'a1', 'device:m': 'd1', 'device:p': 'd1' };
    t.same(
      await verdictsOf(
        holder,
        { ...holder, account: 'a2' },
        { ...holder, 'device:p': 'd2' },
        { account: 'a2', 'device:m': 'd2', 'device:p': 'd2' },
        holder,
      ),
      [false, true, true, true, false],
    );
    t.equal((await use(holder)).uses, 6);
  });

  t.test('tells what a use leaves out that the holder has given', async (t) => {
    const { use } = await open(t);
    const omitted = async (user: CustodyUser) => {
      const { omitsDevice, omitsAccount, isBoundElsewhere } = await use(user);
      return [omitsDevice, omitsAccount, isBoundElsewhere];
    };
    t.same(await omitted({}), [false, false, false], 'nothing was given before');
    t.same(await omitted({ account: 'a1' }), [false, false, false]);
    t.same(await omitted({}), [false, true, false]);
    t.same(await omitted({ account: 'a1', 'device:m': 'd1', 'device:p': 'd1' }), [false, false, false]);
    t.same(await omitted({ account: 'a1' }), [true, false, false]);
    t.same(await omitted({ 'device:p': 'd1' }), [false, true, false], 'one device API is enough');
    t.same(await omitted({ account: 'a2' }), [true, false, true]);
    t.same(await omitted({}), [true, true, false]);
  });

  t.test('does not take a field that is left out for another', async (t) => {
    const { verdictsOf } = await open(t);
    t.same(
      await verdictsOf({ account: 'a1', 'device:m': 'd1' }, { 'device:m': 'd1' }, { account: 'a1' }, {}),
      [false, false, false, false],
    );
  });

  t.test('binds a field that the first use lacked by the first use that has it', async (t) => {
    const { verdictsOf } = await open(t);
    t.same(await verdictsOf({}, { 'device:m': 'd1' }, { 'device:m': 'd2' }), [false, false, true]);
    t.same(
      await verdictsOf(
        { 'device:m': 'd1', account: 'a1' },
        { 'device:m': 'd1', account: 'a2' },
        { account: 'a1' },
      ),
      [false, true, false],
    );
  });

  t.test('binds nothing of a use that names nothing the holder is known by', async (t) => {
    const { verdictsOf } = await open(t);
    const stranger = { 'device:m': 'd2' };
    const holder = { account: 'a1', 'device:m': 'd1' };
    t.same(
      await verdictsOf({ account: 'a1' }, stranger, holder, stranger, { account: 'a1' }),
      [false, false, false, true, false],
      'the device of the holder is bound, and not that of whoever has only the id',
    );
  });

  t.test('binds nothing of a use that is another’s', async (t) => {
    const { verdictsOf } = await open(t);
    const holder = { 'device:m': 'd1', account: 'a1', 'device:p': 'p1' };
    t.same(
      await verdictsOf({ 'device:m': 'd1' }, { 'device:m': 'd2', account: 'a2', 'device:p': 'p2' }, holder),
      [false, true, false],
    );
  });

  t.test('takes devices that have no device API in common for different ones', async (t) => {
    const { verdictsOf } = await open(t);
    t.same(
      await verdictsOf(
        { 'device:m': 'd1' },
        { 'device:p': 'd1' },
        { 'device:m': 'd1', 'device:p': 'p1' },
        { 'device:p': 'p1' },
        { 'device:p': 'p2' },
      ),
      [false, true, false, false, true],
    );
  });

  t.test('remembers when the id itself expires, as it was told last', async (t) => {
    const { clock, store, use, lifeMs } = await open(t);
    await use({});
    for (const validUntilMs of [clock.nowMs() + 10_000, clock.nowMs() - 10_000, clock.nowMs() + 20_000]) {
      store.keep([KEY], validUntilMs);
      await lifeMs(KEY);
      t.match(await use({}), { validUntilMs, isKept: true });
    }
    const { validUntilMs } = await use({});
    store.keep([KEY], null);
    await lifeMs(KEY);
    t.equal((await use({})).validUntilMs, validUntilMs, 'an answer that says nothing of it changes nothing');
  });

  t.test('soon forgets a binding that nobody asks to keep', async (t) => {
    const { clock, use, lifeMs } = await open(t);
    for (let round = 0; round < 2; round += 1) {
      t.match(await use({}), { isKept: false });
      isAbout(t, await lifeMs(KEY), BRIEF_LIFE_MS);
      clock.advance(10_000);
    }
  });

  t.test('keeps a binding from its latest use on', async (t) => {
    const { clock, store, use, lifeMs } = await open(t);
    await use({});
    store.keep([KEY], null);
    isAbout(t, await lifeMs(KEY), RETENTION_MS);
    clock.advance(10_000);
    t.match(await use({}), { isKept: true, validUntilMs: null });
    isAbout(t, await lifeMs(KEY), RETENTION_MS);
  });

  t.test('keeps a binding for as long as the id lives, and never shortens it for that', async (t) => {
    const { clock, store, use, lifeMs } = await open(t);
    await use({});
    store.keep([KEY], clock.nowMs() + 10_000);
    isAbout(t, await lifeMs(KEY), RETENTION_MS, 'the retention is longer');
    store.keep([KEY], clock.nowMs() + 10 * RETENTION_MS);
    isAbout(t, await lifeMs(KEY), 10 * RETENTION_MS);
    await use({});
    isAbout(t, await lifeMs(KEY), 10 * RETENTION_MS, 'a use does not shorten it either');
    store.keep([KEY], Number.MAX_SAFE_INTEGER);
    isAbout(t, await lifeMs(KEY), 365 * 86_400_000, 'a year at most');
  });

  t.test('never shortens the life of a binding, whoever does what', async (t) => {
    const { clock, store, use, lifeMs } = await open(t);
    const holder = { account: 'a1', 'device:m': 'd1' };
    await use(holder);
    store.keep([KEY], clock.nowMs() + 40 * RETENTION_MS);
    const deeds: readonly (() => unknown)[] = [
      () => use({}),
      () => use({ 'device:m': 'd2' }),
      () => store.keep([KEY], null),
      () => store.keep([KEY], clock.nowMs() - 1),
      () => use(holder),
    ];
    for (const [index, deed] of deeds.entries()) {
      await deed();
      isAbout(t, await lifeMs(KEY), 40 * RETENTION_MS, `after deed ${index}`);
    }
  });

  t.test('keeps nothing that it does not hold', async (t) => {
    const { clock, store, lifeMs } = await open(t);
    store.keep([KEY], clock.nowMs() + 10_000);
    store.keep([OTHER_KEY], null);
    t.equal(await lifeMs(KEY), null);
    t.equal(await lifeMs(OTHER_KEY), null);
  });

  t.test('forgets a binding, so that the next use is a first one', async (t) => {
    const { store, use, lifeMs } = await open(t);
    await use({ account: 'a1' });
    store.keep([KEY], null);
    t.equal(await store.forget([KEY]), 1);
    t.equal(await lifeMs(KEY), null);
    t.equal(await store.forget([KEY]), 0, 'there is nothing left');
    t.match(await use({ account: 'a2' }), { uses: 1, isBoundElsewhere: false });
  });

  t.test('binds one of a thousand that come at once, and tells the others', async (t) => {
    const { store, use } = await open(t);
    const users = Array.from({ length: 1_000 }, (_, index) => ({ 'device:m': `d${index}` }));
    const records = await Promise.all(users.map(async (user) => store.use([{ key: KEY, user: user }])));
    const holders = records.flatMap((record, index) => (record?.isBoundElsewhere === false ? [index] : []));
    t.equal(holders.length, 1);
    t.equal(records.filter((record) => record?.isBoundElsewhere).length, 999);
    t.same(
      new Set(records.map((record) => record?.uses)),
      new Set(users.map((_, index) => index + 1)),
      'each with its own count',
    );
    t.match(await use({ 'device:m': `d${holders[0]}` }), { uses: 1_001, isBoundElsewhere: false });
  });

  t.test('does not trip over names that every object has', async (t) => {
    const { verdictsOf } = await open(t);
    const odd = JSON.parse('{"device:__proto__":"d1","constructor":"x"}') as CustodyUser;
    t.same(await verdictsOf(odd, odd, { constructor: 'y' } as unknown as CustodyUser), [false, false, true]);
  });
}

function isAbout(t: Test, lifeMs: number | null, expectedMs: number, what = 'the life'): void {
  const isClose = lifeMs !== null && lifeMs <= expectedMs && lifeMs > expectedMs - SLACK_MS;
  t.ok(isClose, `${what}: ${lifeMs} of ${expectedMs} ms`);
}
