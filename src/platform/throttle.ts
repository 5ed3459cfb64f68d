/** Makes one line of many equal events, and counts those in between. */
export interface Throttle {
  /**
   * Counts `times` events of a kind, which comes from a closed list. Returns how many there were since the
   * last line of that kind, these included, where a line is due now; 0 where none is.
   */
  note(kind: string, times?: number): number;
  /** What was counted and has not been returned yet, by kind. It counts as told from then on. */
  takeRest(): ReadonlyMap<string, number>;
}

/** The first event of a kind is due at once, and then one line of each kind in `intervalMs`. */
export function createThrottle(intervalMs: number, monotonicMs: () => number): Throttle {
  const latestMs = new Map<string, number>();
  const counts = new Map<string, number>();
  return {
    note: (kind, times = 1) => {
      const nowMs = monotonicMs();
      const count = (counts.get(kind) ?? 0) + times;
      const isDue = nowMs - (latestMs.get(kind) ?? Number.NEGATIVE_INFINITY) >= intervalMs;
      if (isDue) latestMs.set(kind, nowMs);
      counts.set(kind, isDue ? 0 : count);
      return isDue ? count : 0;
    },
    takeRest: () => {
      const rest = new Map([...counts].filter(([, count]) => count > 0));
      for (const kind of rest.keys()) latestMs.set(kind, monotonicMs());
      counts.clear();
      return rest;
    },
  };
}
