import type { ListStore } from '../../application/lists/list-store.ts';
import type { ListTable } from '../../domain/lists/list-table.ts';
import { afterKnown } from '../../domain/lists/next-entry.ts';

/** Keeps lists in the table alone: a restart forgets them. */
export function createMemoryListStore(table: ListTable): ListStore {
  return {
    table,
    commit: async (entries) => {
      const kept = entries.map((entry) => afterKnown(table, entry));
      for (const entry of kept) table.put(entry);
      return kept;
    },
    commitIfLater: async (entries) => entries.filter((entry) => table.put(entry)),
    drop: async () => {},
    knowledge: () => 'current',
    isTrusted: () => true,
    ready: async () => {},
    close: async () => {},
  };
}
