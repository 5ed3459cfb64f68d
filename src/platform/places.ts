interface PlacesOptions {
  /** Taken at once; at least 1. */
  readonly max: number;
  /** Who may wait for a place. */
  readonly waitingMax: number;
  readonly waitMs: number;
}

/** A bounded number of places. */
interface Places {
  /**
   * Calls back, at once where a place is free: true with a place, false where none was free in time. Returns
   * what gives the place back, or stops waiting for it; the second call of it does nothing.
   */
  take(tell: (isGranted: boolean) => void): () => void;
}

interface Waiting {
  readonly tell: (isGranted: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

/** Builds free places, which are given in the order in which they are asked for. */
export function createPlaces({ max, waitingMax, waitMs }: PlacesOptions): Places {
  let taken = 0;
  const waiting = new Set<Waiting>();
  const giveBack = (): void => {
    const [next] = waiting;
    if (next === undefined) {
      taken -= 1;
      return;
    }
    waiting.delete(next);
    clearTimeout(next.timer);
    next.tell(true);
  };
  return {
    take: (tell) => {
      let isOver = false;
      const once = (end: () => void) => () => {
        if (isOver) return;
        isOver = true;
        end();
      };
      if (taken < max) {
        taken += 1;
        tell(true);
        return once(giveBack);
      }
      if (waiting.size >= waitingMax) {
        tell(false);
        return () => {};
      }
      const refuse = () => {
        waiting.delete(own);
        isOver = true;
        tell(false);
      };
      const own: Waiting = { tell, timer: setTimeout(refuse, waitMs) };
      waiting.add(own);
      return once(() => {
        // It has a place where it no longer waits.
        if (!waiting.delete(own)) giveBack();
        else clearTimeout(own.timer);
      });
    },
  };
}
