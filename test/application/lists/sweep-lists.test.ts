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
