import t from 'tap';
import { sweepLists } from '../../../src/application/lists/sweep-lists.ts';
import type { ListEntry } from '../../../src/domain/lists/list-entry.ts';
import { ListTable } from '../../../src/domain/lists/list-table.ts';
import { createMemoryListStore } from '../../../src/stores/lists/memory-store.ts';
import { createListEntry, hashOf } from '../../support/list-entries.ts';
import { createManualClock, until } from '../../support/test-app.ts';

t.test('lets go of what is over, in steps, until it is ended', async (t) => {
  const store = createMemoryListStore(new ListTable(new Set()));
  const clock = createManualClock();
  const dropped: ListEntry[] = [];
  const expiresAtMs = clock.nowMs() + 1_000;
  for (let serial = 0; serial < 60_000; serial += 1)
    store.table.put(
      createListEntry({ value: hashOf(serial), ...(serial % 59_999 === 0 ? { expiresAtMs } : {}) }),
    );
  const drop = async (entries: readonly ListEntry[]) => void dropped.push(...entries);
  const end = sweepLists({ store: { ...store, drop }, clock, intervalMs: 1 });
  clock.advance(1_000);
  await until('both are gone', () => dropped.length === 2);
  t.equal(store.table.size, 59_998);
  end();
});

t.test('remembers removed entries for a shorter time where there are too many', async (t) => {
  const store = createMemoryListStore(new ListTable(new Set()));
  const clock = createManualClock();
  const minutesAgo = (minutes: number) => clock.nowMs() - minutes * 60_000;
  for (let serial = 0; serial < 9; serial += 1)
    store.table.put(
      createListEntry({ value: hashOf(serial), isRemoved: true, addedAtMs: minutesAgo(1_000 * serial) }),
    );
  store.table.put(createListEntry({ value: hashOf(10) }));
  t.equal(store.table.removed, 9);
  const end = sweepLists({ store, clock, intervalMs: 1, removedMax: 4 });
  await until('few enough are left', () => store.table.removed <= 4);
  end();
  t.ok(store.table.removed > 0, 'the latest are remembered');
  t.not(store.table.get('blocked', 'device', hashOf(0)), null);
  t.equal(store.table.size, 1);
  const rush = createMemoryListStore(new ListTable(new Set()));
  for (let serial = 0; serial < 3; serial += 1)
    rush.table.put(
      createListEntry({ value: hashOf(serial), isRemoved: true, addedAtMs: minutesAgo(2 * serial) }),
    );
  const endRush = sweepLists({ store: rush, clock, intervalMs: 1, removedMax: 0 });
  await until('those of a minute are left', () => rush.table.removed === 1);
  endRush();
});
