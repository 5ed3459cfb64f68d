/** What one interval of the process looked like. */
export interface LoadSample {
  /** How late the event loop was for something that came at any moment of the interval. */
  readonly delayMs: number;
  /** The share of the interval in which the loop was not waiting for work, from 0 to 1. */
  readonly utilization: number;
  /** Used heap as a share of what V8 may use, from 0 to 1. */
  readonly heapShare: number;
}

interface AdmissionOptions {
  /** The delay that is still good; null watches none. */
  readonly delayMaxMs: number | null;
  readonly random: () => number;
  /** Called when shedding begins and when it ends. */
  readonly onChange: (isShedding: boolean, sample: LoadSample) => void;
}

/** Decides which requests an overloaded process refuses. */
interface Admission {
  /** Why the next request would be refused, or null. Costs a comparison while there is no overload. */
  refusal(): 'event_loop' | 'heap' | null;
  /** True before anything is refused, and while it is: what can wait should not be begun. */
  isStrained(): boolean;
  note(sample: LoadSample): void;
}

/**
 * A bad interval or two are a pause: a collection, a start, a neighbour. Smoothed by this share and capped at
 * twice the bound, it takes four to make a queue.
 */
const SMOOTHING = 0.2;
const DELAY_CAP_FACTOR = 2;
/**
 * A loop that waits for work most of the time has no queue: it is late because the machine gave it no time,
 * and refusing would not help.
 */
const UTILIZATION_MIN = 0.5;
/** The share that is always let in: enough to notice that the queue is gone, and to answer some requests. */
const SHARE_MIN = 0.05;
/**
 * Slower up than down: a share that was too large makes a queue, one that was too small only costs a few
 * refusals.
 */
const SHARE_STEP_UP = 0.05;
const FACTOR_DOWN_MIN = 0.25;
const FACTOR_DOWN_MAX = 0.95;
/** Above it V8 spends its time collecting, and soon ends the process. */
const HEAP_SHARE_MAX = 0.9;
/**
 * From these on the process is strained: three quarters of the delay that makes it refuse, and a little less
 * heap.
 */
const STRAINED_DELAY_SHARE = 0.75;
const STRAINED_HEAP_SHARE = 0.8;

/**
 * Takes a share of requests that falls while the event loop stays late, in proportion to how late it is, and
 * rises again in steps when it is not. All or nothing would oscillate: every request is let in at once, a
 * queue forms, and none is let in.
 */
export function createAdmission({ delayMaxMs, random, onChange }: AdmissionOptions): Admission {
  const maxMs = delayMaxMs ?? Number.POSITIVE_INFINITY;
  let share = 1;
  let smoothedMs = 0;
  let isHeapFull = false;
  let isHeapStrained = false;
  let wasShedding = false;
  const adjust = (delayMs: number): void => {
    const isLate = delayMs > maxMs;
    if (isLate && (share < 1 || smoothedMs > maxMs)) {
      const factor = Math.min(FACTOR_DOWN_MAX, Math.max(FACTOR_DOWN_MIN, maxMs / delayMs));
      share = Math.max(SHARE_MIN, share * factor);
    } else if (!isLate) share = Math.min(1, share + SHARE_STEP_UP);
  };
  return {
    refusal: () => {
      if (isHeapFull) return 'heap';
      return share === 1 || random() < share ? null : 'event_loop';
    },
    isStrained: () => isHeapStrained || share < 1 || smoothedMs > STRAINED_DELAY_SHARE * maxMs,
    note: (sample) => {
      isHeapStrained = sample.heapShare > STRAINED_HEAP_SHARE;
      isHeapFull = sample.heapShare > HEAP_SHARE_MAX;
      const delayMs = sample.utilization < UTILIZATION_MIN ? 0 : sample.delayMs;
      smoothedMs += SMOOTHING * (Math.min(delayMs, DELAY_CAP_FACTOR * maxMs) - smoothedMs);
      adjust(delayMs);
      const isShedding = isHeapFull || share < 1;
      if (isShedding !== wasShedding) onChange(isShedding, sample);
      wasShedding = isShedding;
    },
  };
}
