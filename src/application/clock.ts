/** Milliseconds. `nowMs` is Unix time for records, `monotonicMs` never jumps and serves durations. */
export interface Clock {
  nowMs(): number;
  monotonicMs(): number;
}
