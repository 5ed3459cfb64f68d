interface LruBound {
  readonly maxSize: number;
  readonly sizeCalculation: () => number;
}

/**
 * Bounds an LRUCache by its entries, at least 1. Given their number as `max`, lru-cache takes memory for all
 * of them at once; this way it grows with them, at the same cost for each.
 */
export function boundedTo(entriesMax: number): LruBound {
  return { maxSize: entriesMax, sizeCalculation: () => 1 };
}
