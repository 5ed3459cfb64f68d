import type { ListEntry } from './list-entry.ts';
import type { ListTable } from './list-table.ts';

/** The entry with a time after that of what is known of its value, so that it counts. */
export function afterKnown(table: Pick<ListTable, 'get'>, entry: ListEntry): ListEntry {
  return after(table.get(entry.list, entry.part, entry.value), entry);
}

/** The entry with a time after that of another one. */
export function after(other: Pick<ListEntry, 'addedAtMs'> | null, entry: ListEntry): ListEntry {
  if (other === null || other.addedAtMs < entry.addedAtMs) return entry;
  return { ...entry, addedAtMs: other.addedAtMs + 1 };
}
