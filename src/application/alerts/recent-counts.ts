import type { Clock } from '../clock.ts';

/** How often things happened lately, by minute and name, in this process. */
export interface RecentCounts {
  add(name: string, count: number): void;
  /** Of one name, or of all where it is undefined. The present minute is a part of the window. */
  within(windowMs: number, name?: string): number;
}

const MINUTE_MS = 60_000;
const MINUTES_KEPT = 1_441;
/** Of one minute; further names count as one. */
const NAMES_MAX = 1_000;
const OTHERS = '';

/** Builds it; a day of minutes. */
export function createRecentCounts({ monotonicMs }: Pick<Clock, 'monotonicMs'>): RecentCounts {
  const minutes = new Map<number, Map<string, number>>();
  const present = () => Math.floor(monotonicMs() / MINUTE_MS);
  return {
    add: (name, count) => {
      const minute = present();
      const counts = minutes.get(minute) ?? new Map<string, number>();
      minutes.set(minute, counts);
      const kept = counts.has(name) || counts.size < NAMES_MAX ? name : OTHERS;
      counts.set(kept, (counts.get(kept) ?? 0) + count);
      for (const old of minutes.keys()) if (old <= minute - MINUTES_KEPT) minutes.delete(old);
    },
    within: (windowMs, name) => {
      const after = present() - Math.ceil(windowMs / MINUTE_MS);
      let sum = 0;
      for (const [minute, counts] of minutes)
        if (minute > after)
          for (const [each, count] of counts) if (name === undefined || each === name) sum += count;
      return sum;
    },
  };
}
