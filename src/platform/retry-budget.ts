/** Bounds how much retries may add to the load of a peer. */
interface RetryBudget {
  /** Counts a call, its retries aside. */
  onCall(): void;
  /** True where one more retry is within the budget, which it is then taken from. */
  tryTake(): boolean;
}

/** The span over which calls and retries are counted, in steps of a second. */
const WINDOW_SECONDS = 10;
/**
 * At most one retry for ten calls: an outage adds a tenth to the load of a peer in trouble, and does not
 * double it.
 */
const RETRY_SHARE = 0.1;
/**
 * So many retries within the span are allowed to anyone: with a handful of calls a share of them would be
 * none.
 */
const RETRIES_FLOOR = 10;

interface Second {
  startedAt: number;
  calls: number;
  retries: number;
}

/** A budget of retries over the last ten seconds: ten of them, or a tenth of the calls, whichever is more. */
export function createRetryBudget(monotonicMs: () => number): RetryBudget {
  const seconds: Second[] = Array.from({ length: WINDOW_SECONDS }, () => ({
    startedAt: Number.NEGATIVE_INFINITY,
    calls: 0,
    retries: 0,
  }));
  const current = (): Second => {
    const startedAt = Math.floor(monotonicMs() / 1_000);
    const second = seconds[startedAt % WINDOW_SECONDS];
    if (second === undefined) throw new RangeError('a second is outside of the window');
    if (second.startedAt !== startedAt) Object.assign(second, { startedAt, calls: 0, retries: 0 });
    return second;
  };
  return {
    onCall: () => {
      current().calls += 1;
    },
    tryTake: () => {
      const now = current();
      const recent = seconds.filter(({ startedAt }) => now.startedAt - startedAt < WINDOW_SECONDS);
      const calls = recent.reduce((sum, second) => sum + second.calls, 0);
      const retries = recent.reduce((sum, second) => sum + second.retries, 0);
      if (retries >= Math.max(RETRIES_FLOOR, RETRY_SHARE * calls)) return false;
      now.retries += 1;
      return true;
    },
  };
}
