import type { Clock } from '../clock.ts';
import type { ListStore } from './list-store.ts';

interface SweepOptions {
  readonly store: ListStore;
  readonly clock: Clock;
  readonly intervalMs?: number;
}

/** Every so often a step, so that a million entries are looked through within a minute. */
const INTERVAL_MS = 3_000;

/** Lets go of entries that are over, a step at a time. Returns what ends that. */
export function sweepLists({ store, clock, intervalMs = INTERVAL_MS }: SweepOptions): () => void {
  let from: number | null = 0;
  const timer = setInterval(() => {
    const swept = store.table.sweep(from ?? 0, clock.nowMs());
    from = swept.next;
    if (swept.entries.length > 0) void store.drop(swept.entries);
  }, intervalMs).unref();
  return () => clearInterval(timer);
}
