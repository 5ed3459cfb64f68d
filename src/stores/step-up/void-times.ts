import { LRUCache } from 'lru-cache';
import type { Clock } from '../../application/clock.ts';
import { STEP_UP_SECONDS_MAX } from '../../domain/step-up/step-up.ts';
import { boundedTo } from '../../platform/lru-bound.ts';

/** Up to which times the step-ups of parts of subjects are void, by their keyed hashes. */
export interface VoidTimes {
  note(hash: string, untilMs: number): void;
  /** Up to when step-ups of a subject with these parts were ended or may have been, Unix milliseconds; 0 for none. */
  until(hashes: readonly string[]): number;
}

interface VoidTime {
  /** Unix milliseconds. */
  readonly untilMs: number;
  /** Monotonic milliseconds: a wall clock that jumps must not shorten it. */
  readonly keptUntilMs: number;
}

const KEPT_MS = STEP_UP_SECONDS_MAX * 1000;

/**
 * Builds them, bounded to so many parts. What had to make room holds for every subject from then on, and what was
 * ended before the process began is not known: nothing of before counts.
 */
export function createVoidTimes(clock: Clock, entriesMax: number): VoidTimes {
  const toTime = (untilMs: number): VoidTime => ({ untilMs, keptUntilMs: clock.monotonicMs() + KEPT_MS });
  let ofAll = toTime(clock.nowMs() - 1);
  const times = new LRUCache<string, VoidTime>({
    ...boundedTo(entriesMax),
    dispose: (time, _hash, reason) => {
      if (reason === 'evict') ofAll = later(ofAll, time);
    },
  });
  const untilOf = (time: VoidTime | undefined): number =>
    time !== undefined && clock.monotonicMs() < time.keptUntilMs ? time.untilMs : 0;
  return {
    note: (hash, untilMs) => {
      const held = times.peek(hash);
      times.set(hash, held === undefined ? toTime(untilMs) : later(held, toTime(untilMs)));
    },
    until: (hashes) => Math.max(untilOf(ofAll), ...hashes.map((hash) => untilOf(times.peek(hash)))),
  };
}

/** The time that makes more void. */
function later(left: VoidTime, right: VoidTime): VoidTime {
  const untilMs = Math.max(left.untilMs, right.untilMs);
  return { untilMs, keptUntilMs: Math.max(left.keptUntilMs, right.keptUntilMs) };
}
