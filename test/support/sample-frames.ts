import type { Page } from 'playwright-core';

const SAMPLE_MS = 5_000;

/**
 * Draws frames for a while, and tells how long each took, how much of the time was spent in long tasks, and at each
 * change of the newest row how old it was, and how old the one drawn before it: no row that came between waited longer.
 */
const SAMPLE = `new Promise((resolve) => {
  const [frames, newest, oldest] = [[], [], []];
  let [longest, drawn] = [0, null];
  const watch = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
  });
  watch.observe({ type: 'longtask' });
  const startedMs = performance.now();
  let beforeMs = startedMs;
  requestAnimationFrame(function next(nowMs) {
    frames.push(nowMs - beforeMs);
    beforeMs = nowMs;
    const time = document.querySelector('.table-body .row time')?.dateTime ?? null;
    if (time !== drawn) {
      if (drawn !== null) {
        newest.push(Date.now() - Date.parse(time));
        oldest.push(Date.now() - Date.parse(drawn));
      }
      drawn = time;
    }
    if (nowMs - startedMs < ${SAMPLE_MS}) requestAnimationFrame(next);
    else {
      watch.disconnect();
      resolve({ frames: frames.slice(1), longest, newest, oldest });
    }
  });
})`;

interface Sample {
  readonly frames: readonly number[];
  readonly longest: number;
  readonly newest: readonly number[];
  readonly oldest: readonly number[];
}

/** Milliseconds. */
interface Times {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/** What five seconds of a page were like. */
interface SampledFrames {
  readonly frames: Times;
  /** The longest task, milliseconds; 0 where none took 50. */
  readonly longest: number;
  /** From a decision to its row, for the newest row of each drawing. */
  readonly newestRows: Times;
  /** The same for the row that waited longest for each drawing, at most. */
  readonly oldestRows: Times;
}

/** Watches a page draw. */
export async function sampleFrames(page: Page): Promise<SampledFrames> {
  const { frames, longest, newest, oldest } = (await page.evaluate(SAMPLE)) as Sample;
  return {
    frames: toTimes(frames),
    longest: Math.round(longest),
    newestRows: toTimes(newest),
    oldestRows: toTimes(oldest),
  };
}

function toTimes(times: readonly number[]): Times {
  const sorted = times.toSorted((left, right) => left - right);
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}
