import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { LoadSample } from './admission.ts';

/**
 * How often the loop's delay is measured; libuv's timers know no less than a millisecond, and ten cost
 * nothing that can be measured.
 */
const RESOLUTION_MS = 10;
/** Long enough for a dozen measurements, short enough that a queue is noticed within a second. */
const INTERVAL_MS = 250;

/**
 * Measures the event loop and the heap four times a second until it is stopped. Does not keep the process
 * alive.
 */
export function startLoadSampler(onSample: (sample: LoadSample) => void): { stop(): void } {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  let before = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    const delayMs = delays.count === 0 ? INTERVAL_MS : delayOf(delays.mean / 1e6, delays.stddev / 1e6);
    delays.reset();
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    onSample({ delayMs, utilization, heapShare: used / limit });
  }, INTERVAL_MS).unref();
  return {
    stop: () => {
      clearInterval(timer);
      delays.disable();
    },
  };
}

/**
 * How late a request is that comes at any moment: the mean of the turns weighted by their length, Σd²/Σd. The
 * plain mean counts turns, and so calls a loop punctual that does everything in one long turn and then waits
 * in twenty short ones. The histogram is empty when one turn took the whole interval; its nanoseconds run
 * from one firing of the timer to the next.
 */
function delayOf(meanMs: number, deviationMs: number): number {
  return Math.max(0, (meanMs ** 2 + deviationMs ** 2) / meanMs - RESOLUTION_MS);
}
