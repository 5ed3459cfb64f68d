import { LRUCache } from 'lru-cache';
import type { RequestCounter, WindowCount } from '../../application/callers/request-counter.ts';
import type { Clock } from '../../application/clock.ts';
import { boundedTo } from '../../platform/lru-bound.ts';

/** The counter of one process. */
export interface MemoryRequestCounter extends RequestCounter {
  count(callerId: string, windowMs: number, max: number): WindowCount;
  /** Goes on from a count that was made elsewhere. */
  adopt(callerId: string, windowMs: number, counted: WindowCount): void;
}

interface Window {
  count: number;
  endsAtMs: number;
}

/** More than a key file can name (1000), times a few lengths of window. */
const WINDOWS_MAX = 10_000;

/** Builds an empty counter, bounded in callers. */
export function createMemoryRequestCounter({ clock }: { readonly clock: Clock }): MemoryRequestCounter {
  const windows = new LRUCache<string, Window>(boundedTo(WINDOWS_MAX));
  return {
    count: (callerId, windowMs) => {
      const key = `${callerId} ${windowMs}`;
      const nowMs = clock.monotonicMs();
      let window = windows.get(key);
      if (window === undefined || window.endsAtMs <= nowMs) {
        window = { count: 0, endsAtMs: nowMs + windowMs };
        windows.set(key, window);
      }
      window.count += 1;
      return { count: window.count, leftMs: window.endsAtMs - nowMs };
    },
    adopt: (callerId, windowMs, { count, leftMs }) => {
      windows.set(`${callerId} ${windowMs}`, { count, endsAtMs: clock.monotonicMs() + leftMs });
    },
  };
}
