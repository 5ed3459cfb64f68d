/** Counts per id in bounded memory. */
export interface IdCounter {
  /** Adds one and returns the new count. */
  increment(id: string): number;
  count(id: string): number;
  clear(id: string): void;
}

/** A counter that remembers at most `idsMax` ids and forgets the one that was first seen longest ago. */
export function createIdCounter(idsMax: number): IdCounter {
  const counts = new Map<string, number>();
  return {
    increment(id) {
      const next = (counts.get(id) ?? 0) + 1;
      counts.set(id, next);
      const [oldest] = counts.keys();
      if (counts.size > idsMax && oldest !== undefined) counts.delete(oldest);
      return next;
    },
    count: (id) => counts.get(id) ?? 0,
    clear: (id) => {
      counts.delete(id);
    },
  };
}
