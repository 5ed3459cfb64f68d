import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** Well below the 20 ms that requests may be held up. */
const PIECE_MS = 5;

/**
 * Runs `steps` to their end, and lets the event loop go on between them whenever they have held it for a few
 * milliseconds.
 */
export async function runInPieces<Value>(steps: Generator<undefined, Value>): Promise<Value> {
  for (;;) {
    const endsAtMs = performance.now() + PIECE_MS;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < endsAtMs);
    await setImmediate();
  }
}
