/** Counts what is under way by name, in this process. */
export interface Slots {
  /** A place among `max`, as the function that gives it back (once; later calls do nothing), or null when all are taken. */
  take(name: string, max: number): (() => void) | null;
}

/** Builds a count that begins empty. */
export function createSlots(): Slots {
  const taken = new Map<string, number>();
  return {
    take: (name, max) => {
      const count = taken.get(name) ?? 0;
      if (count >= max) return null;
      taken.set(name, count + 1);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        const left = (taken.get(name) ?? 1) - 1;
        if (left === 0) taken.delete(name);
        else taken.set(name, left);
      };
    },
  };
}
