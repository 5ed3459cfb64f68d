import type { ListEntryRecord } from '../../domain/decision-log/event-record.ts';
import { entryIdOf, type ListEntry } from '../../domain/lists/list-entry.ts';

/** An entry as records and answers show it. */
export function toEntryRecord(entry: ListEntry, formatTime: (unixMs: number) => string): ListEntryRecord {
  return {
    id: entryIdOf(entry),
    part: entry.part,
    value: entry.value,
    hash_key: entry.keyId,
    added_at: formatTime(entry.addedAtMs),
    added_by: entry.addedBy,
    expires_at: entry.expiresAtMs === null ? null : formatTime(entry.expiresAtMs),
    note: entry.note,
  };
}
