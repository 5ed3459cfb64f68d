import { performance } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';

/** Work that can wait, done in pieces, one at a time. */
interface BackgroundWork {
  /**
   * Runs one piece when its turn has come, first come first served, in a turn of the event loop of its own. A
   * piece should take a few milliseconds. Rejects as the piece does, and with an UnwantedError, in its turn and
   * without one, where `isWanted` says by then that nobody waits for it.
   */
  run<Value>(piece: () => Value | Promise<Value>, isWanted?: () => boolean): Promise<Value>;
}

/** Nobody waits any more for what was to be run. */
export class UnwantedError extends Error {}

/** Timers know no less; what is owed is added up until it is more. */
const PAUSE_MS_MIN = 1;
/** A piece that was unlucky (a collection, a neighbour) does not stop the others for long. */
const PAUSE_MS_MAX = 250;

/**
 * Keeps all pieces together to `shareMax` (0 to 1) of the event loop: after each there is a pause as long as
 * the loop was busy, times what is left to others. All that was done meanwhile counts as busy, so that the
 * pieces take less where others need more. Waiting for a reply costs nothing.
 */
export function createBackgroundWork({ shareMax }: { readonly shareMax: number }): BackgroundWork {
  let freeAtMs = 0;
  let last: Promise<unknown> = Promise.resolve();
  const runNow = async <Value>(piece: () => Value | Promise<Value>): Promise<Value> => {
    const waitMs = freeAtMs - performance.now();
    if (waitMs < PAUSE_MS_MIN) await nextTurn();
    else await delay(Math.ceil(waitMs));
    const before = performance.eventLoopUtilization();
    try {
      return await piece();
    } finally {
      const { active } = performance.eventLoopUtilization(before);
      const pauseMs = Math.min(PAUSE_MS_MAX, active * (1 / shareMax - 1));
      freeAtMs = Math.max(freeAtMs, performance.now()) + pauseMs;
    }
  };
  return {
    run: (piece, isWanted = () => true) => {
      const next = last.then(() => {
        if (!isWanted()) throw new UnwantedError('nobody waits for it');
        return runNow(piece);
      });
      last = next.catch(() => {});
      return next;
    },
  };
}
