/** Counts the requests of each caller that are under way, in this process. */
export interface ConcurrentRequests {
  /** A place among `max`, as the function that gives it back (once; later calls do nothing), or null when all are taken. */
  take(callerId: string, max: number): (() => void) | null;
}

/** Builds a count that begins empty; it holds callers with requests under way and no others. */
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
