import { REMOVED_KEPT_MS } from '../../domain/lists/list-entry.ts';
import type { Clock } from '../clock.ts';
import type { ListStore } from './list-store.ts';

interface SweepOptions {
  readonly store: ListStore;
  readonly clock: Clock;
  readonly intervalMs?: number;
  readonly removedMax?: number;
}

/** Every so often a step, so that a million entries are looked through within a minute. */
const INTERVAL_MS = 3_000;

/** Removed entries that are remembered, about: with more of them each is remembered for a shorter time. */
const REMOVED_MAX = 100_000;
/** Longer than replicas take to read of a removal. */
const REMOVED_KEPT_MS_MIN = 60_000;

/** Lets go of entries that are over, a step at a time. Returns what ends that. */
export function sweepLists(options: SweepOptions): () => void {
  const { store, clock, intervalMs = INTERVAL_MS, removedMax = REMOVED_MAX } = options;
  let from: number | null = 0;
  let keptMs = REMOVED_KEPT_MS;
  const timer = setInterval(() => {
    const swept = store.table.sweep(from ?? 0, clock.nowMs(), keptMs);
    from = swept.next;
    if (from === null)
      keptMs =
        store.table.removed > removedMax
          ? Math.max(keptMs / 2, REMOVED_KEPT_MS_MIN)
          : Math.min(keptMs * 2, REMOVED_KEPT_MS);
    if (swept.entries.length > 0) void store.drop(swept.entries);
  }, intervalMs).unref();
  return () => clearInterval(timer);
}
