/** A timer is never exact; beyond this the event loop was held. */
const HELD_MS = 10;
/** So often the time that was lost is given back: a process that stands still all the time gets nowhere. */
const EXTENSIONS_MAX = 8;

/**
 * Calls back once `ms` have passed in which this process could have taken what arrived: time in which its
 * event loop was held is given back, and what lay waiting in sockets has its turn first. Returns what cancels
 * it.
 */
export function afterServedTime(ms: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;
  const wait = (waitMs: number, extensionsLeft: number) => {
    const startedMs = performance.now();
    timer = setTimeout(() => {
      const heldMs = performance.now() - startedMs - waitMs;
      immediate = setImmediate(() => {
        if (heldMs > HELD_MS && extensionsLeft > 0) wait(Math.min(heldMs, ms), extensionsLeft - 1);
        else callback();
      });
    }, waitMs);
  };
  wait(ms, EXTENSIONS_MAX);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}
