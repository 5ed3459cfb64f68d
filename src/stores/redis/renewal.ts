/** How soon a connection is made again: at once, then after pauses that double. Milliseconds. */
interface RenewalPauses {
  readonly min: number;
  readonly max: number;
}

/** So long without a wish, and the next one is granted at once. */
const FORGOTTEN_AFTER_PAUSES = 4;

/**
 * Whether a connection may be made again now, to a server that answers and yet refuses: the name may lead to
 * another one by now, or it may not, and then asking must not become a storm.
 */
export function createRenewal({ min, max }: RenewalPauses, monotonicMs: () => number): () => boolean {
  let lastMs = Number.NEGATIVE_INFINITY;
  let pauseMs = 0;
  return () => {
    const nowMs = monotonicMs();
    const sinceMs = nowMs - lastMs;
    if (sinceMs < pauseMs) return false;
    const isForgotten = sinceMs > FORGOTTEN_AFTER_PAUSES * Math.max(pauseMs, min);
    pauseMs = isForgotten ? min : Math.min(Math.max(2 * pauseMs, min), max);
    lastMs = nowMs;
    return true;
  };
}
