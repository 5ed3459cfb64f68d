/** How many lists are remembered: results of most decisions are among few. */
const LISTS_MAX = 32;

/**
 * Builds what returns one and the same list for lists of the same items, as far as it remembers: what many records
 * share is written once for all of them.
 */
export function createSharedLists<Item>(): (list: readonly Item[]) => readonly Item[] {
  const known: (readonly Item[])[] = [];
  let oldest = 0;
  return (list) => {
    for (const one of known)
      if (one.length === list.length && one.every((item, place) => item === list[place])) return one;
    const frozen = Object.freeze(list);
    known[oldest] = frozen;
    oldest = (oldest + 1) % LISTS_MAX;
    return frozen;
  };
}
