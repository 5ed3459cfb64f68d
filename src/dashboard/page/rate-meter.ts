/** Counts by second, for as many seconds as it was made for. */
interface RateMeter {
  count(nowMs: number): void;
  /** Counts of whole seconds that are over, oldest first. */
  read(nowMs: number): readonly number[];
  clear(): void;
}

/** Builds a meter that counts over the latest `seconds`. */
export function createRateMeter(seconds: number): RateMeter {
  const counts = new Map<number, number>();
  const forget = (present: number) => {
    for (const second of counts.keys()) if (second < present - seconds) counts.delete(second);
  };
  return {
    count: (nowMs) => {
      const second = Math.floor(nowMs / 1000);
      counts.set(second, (counts.get(second) ?? 0) + 1);
    },
    read: (nowMs) => {
      const present = Math.floor(nowMs / 1000);
      forget(present);
      return Array.from({ length: seconds }, (_, place) => counts.get(present - seconds + place) ?? 0);
    },
    clear: () => counts.clear(),
  };
}
