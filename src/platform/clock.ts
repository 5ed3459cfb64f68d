/** Milliseconds: Unix time for records, and a monotonic count for durations. */
export const systemClock = {
  nowMs: (): number => Date.now(),
  monotonicMs: (): number => performance.now(),
};
