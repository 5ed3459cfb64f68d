import type { ListEntry } from './list-entry.ts';
import type { ListTable } from './list-table.ts';

/** The entry with a time after that of what is known of its value, so that it counts. */
export function afterKnown(table: Pick<ListTable, 'get'>, entry: ListEntry): ListEntry {
  const known = table.get(entry.list, entry.part, entry.value);
  if (known === null || known.addedAtMs < entry.addedAtMs) return entry;
  return { ...entry, addedAtMs: known.addedAtMs + 1 };
}
