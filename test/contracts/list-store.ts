import type { Test } from 'tap';
import type { ListStore } from '../../src/application/lists/list-store.ts';
import type { ListEntry } from '../../src/domain/lists/list-entry.ts';
import { ListTable } from '../../src/domain/lists/list-table.ts';
import { createListEntry, hashOf } from '../support/list-entries.ts';
import { until } from '../support/test-app.ts';

/** One implementation of the store, as the suite needs it. */
export interface ListStoreTwin {
  readonly id: string;
  /** Opens an empty store that is ready and ends with the test. */
  open(t: Test): Promise<ListStore>;
  /** Opens the store that `open` opened last once more; undefined where it cannot outlive its process. */
  openAgain?(t: Test): Promise<ListStore>;
  /** Whether two of them may be open at once. */
  readonly isShared: boolean;
}

/** A table as every store under test gets it. */
export function createListTable(): ListTable {
  return new ListTable(new Set(['aaaa1111']));
}

/** Everything in a store, in one order. */
export function contentsOf({ table }: Pick<ListStore, 'table'>): readonly ListEntry[] {
  const entries: ListEntry[] = [];
  for (let from: number | null = 0; from !== null; ) {
    const page = table.page({ from, limit: 1_000, isWanted: () => true });
    entries.push(...page.entries);
    from = page.next;
  }
  return entries.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
}

const keyOf = ({ list, part, value }: ListEntry) => `${list} ${part} ${value}`;

const VARIED: readonly ListEntry[] = [
  createListEntry({ note: 'Ärger, "quoted"\\ and\nbroken', expiresAtMs: 4_102_444_800_000 }),
  createListEntry({ list: 'watched', part: 'ip', value: '2001:db8::/32', keyId: null }),
  createListEntry({ part: 'asn', value: '64500', keyId: null }),
  createListEntry({ part: 'account', value: hashOf(2), others: { bbbb2222: hashOf(3) } }),
];

/** Everything that every store of lists promises. */
export function testListStore(t: Test, twin: ListStoreTwin): void {
  t.test('keeps entries whole', async (t) => {
    const store = await twin.open(t);
    t.equal(store.knowledge(), 'current');
    t.equal(store.isTrusted(), true);
    t.strictSame(await store.commit(VARIED), VARIED);
    t.strictSame(
      contentsOf(store),
      VARIED.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1)),
    );
    t.same(await store.commit([]), []);
  });

  t.test('lets a later change count, whatever its clock says', async (t) => {
    const store = await twin.open(t);
    const entry = createListEntry({ addedAtMs: 5_000 });
    await store.commit([entry]);
    const removed = { ...entry, addedAtMs: 4_000, isRemoved: true };
    t.strictSame(await store.commit([removed]), [{ ...removed, addedAtMs: 5_001 }]);
    t.equal(store.table.size, 0);
    t.strictSame(await store.commit([{ ...entry, note: 'again' }]), [
      { ...entry, note: 'again', addedAtMs: 5_002 },
    ]);
    t.equal(store.table.size, 1);
  });

  t.test('keeps what happened elsewhere at its own time, unless something later is known', async (t) => {
    const store = await twin.open(t);
    const at = (addedAtMs: number, isRemoved = false) => createListEntry({ addedAtMs, isRemoved });
    t.strictSame(await store.commitIfLater([at(5_000), at(4_000, true)]), [at(5_000)]);
    t.strictSame(await store.commitIfLater([at(5_000, true)]), [], 'nor at the same time');
    t.equal(store.table.size, 1);
    const [first, second] = await Promise.all([
      store.commitIfLater([at(7_000)]),
      store.commitIfLater([at(6_000, true)]),
    ]);
    t.strictSame([first, second], [[at(7_000)], []], 'whichever waits for longer');
    t.strictSame(await store.commitIfLater([at(8_000, true)]), [at(8_000, true)]);
    t.equal(store.table.size, 0);
    t.equal(store.knowledge(), 'current');
    t.same(await store.commitIfLater([]), []);
  });

  t.test('keeps all of many changes at once, those of one value in their order', async (t) => {
    const store = await twin.open(t);
    const changes = Array.from({ length: 500 }, (_, serial) =>
      store.commit([
        createListEntry({ value: hashOf(serial), note: `n${serial}` }),
        createListEntry({ value: hashOf(9_999), note: `n${serial}` }),
      ]),
    );
    const kept = await Promise.all(changes);
    t.equal(store.table.size, 501);
    const latest = kept.flatMap((entries) => entries?.[1] ?? []);
    t.equal(new Set(latest.map(({ addedAtMs }) => addedAtMs)).size, 500, 'each with a time of its own');
    const last = latest.reduce((left, right) => (left.addedAtMs > right.addedAtMs ? left : right));
    t.strictSame(store.table.get('blocked', 'device', hashOf(9_999)), last);
  });

  t.test('lets go of what is over, and of nothing that has changed since', async (t) => {
    const store = await twin.open(t);
    const expired = [1, 2].map((serial) => createListEntry({ value: hashOf(serial), expiresAtMs: 2_000 }));
    const kept = (await store.commit(expired)) ?? [];
    await store.commit([{ ...createListEntry({ value: hashOf(2) }), addedAtMs: 3_000 }]);
    store.table.sweep(0, 2_500);
    await store.drop(kept);
    const left = contentsOf(store);
    t.match(left, [{ value: hashOf(2), expiresAtMs: null }]);
    if (twin.openAgain === undefined) return;
    if (!twin.isShared) await store.close();
    const again = await twin.openAgain(t);
    again.table.sweep(0, 2_500);
    t.strictSame(contentsOf(again), left);
  });

  const { openAgain } = twin;
  if (openAgain !== undefined) {
    t.test('forgets nothing when it is opened again', async (t) => {
      const store = await twin.open(t);
      await store.commit(VARIED);
      await store.commit([createListEntry({ value: hashOf(7) })]);
      await store.commit([createListEntry({ value: hashOf(7), isRemoved: true })]);
      const before = contentsOf(store);
      await store.close();
      const again = await openAgain(t);
      t.strictSame(contentsOf(again), before);
      t.equal(again.knowledge(), 'current');
    });

    if (twin.isShared)
      t.test('tells the other replicas of every change within a second', async (t) => {
        const here = await twin.open(t);
        const there = await openAgain(t);
        await here.commit(VARIED);
        await until('the other replica obeys', () => there.table.size === VARIED.length);
        await there.commit([createListEntry({ isRemoved: true })]);
        await until('this one too', () => here.table.size === VARIED.length - 1);
        const many = Array.from({ length: 1_000 }, (_, serial) => createListEntry({ value: hashOf(serial) }));
        await Promise.all([here.commit(many.slice(0, 500)), there.commit(many.slice(500))]);
        await until('both know all', () => here.table.size >= 1_000 && there.table.size === here.table.size);
        t.strictSame(contentsOf(here), contentsOf(there));
      });
  }

  t.test('keeps nothing once it is closed', async (t) => {
    const store = await twin.open(t);
    if (openAgain === undefined) return;
    await store.close();
    t.equal(await store.commit([createListEntry()]), null);
  });
}
