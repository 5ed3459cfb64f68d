import type { ListEntry } from '../../domain/lists/list-entry.ts';
import { SHARED_EVENTS } from '../../domain/shared-signals/shared-events.ts';
import type { Clock } from '../clock.ts';
import type { ListStore } from '../lists/list-store.ts';
import type { Forgettable } from '../subject-memory/forgettable.ts';

/** Forgets what others told of a subject. */
export function createSharedSignalForgetting(
  store: Pick<ListStore, 'table' | 'commit'>,
  clock: Clock,
): Forgettable {
  return {
    memory: 'shared_signals',
    forget: async (targets, { caller }) => {
      const entries = targets.flatMap(({ part, hashes }) =>
        hashes.flatMap((hash) =>
          SHARED_EVENTS.flatMap((event) => {
            const entry = store.table.get(event, part, hash);
            return entry === null || entry.isRemoved ? [] : [toRemoved(entry, clock.nowMs(), caller)];
          }),
        ),
      );
      const isComplete = entries.length === 0 || (await store.commit(entries)) !== null;
      return { removed: isComplete ? entries.length : null, isComplete };
    },
  };
}

function toRemoved(entry: ListEntry, addedAtMs: number, addedBy: string): ListEntry {
  return { ...entry, addedAtMs, addedBy, expiresAtMs: null, note: null, isRemoved: true };
}
