/** Counts the requests of each caller that are under way, in this process. */
export interface ConcurrentRequests {
  /**
   * Takes one of `max` places. Returns the function that gives it back (later calls do nothing), or null when
   * all are taken.
   */
  take(callerId: string, max: number): (() => void) | null;
}

/** Builds an empty count. It holds only callers with requests under way. */
export function createConcurrentRequests(): ConcurrentRequests {
  const taken = new Map<string, number>();
  return {
    take: (callerId, max) => {
      const count = taken.get(callerId) ?? 0;
      if (count >= max) return null;
      taken.set(callerId, count + 1);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        const left = (taken.get(callerId) ?? 1) - 1;
        if (left === 0) taken.delete(callerId);
        else taken.set(callerId, left);
      };
    },
  };
}
