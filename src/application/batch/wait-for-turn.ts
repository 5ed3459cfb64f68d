import type { HoldToLimits, LimitedCaller } from '../callers/hold-to-limits.ts';
import type { Clock } from '../clock.ts';
import { settleBy } from '../facts/settle-by.ts';
import { createLanes } from './lanes.ts';
import type { TakePlace } from './take-place.ts';

interface WaitForTurnDependencies {
  readonly holdToLimits: HoldToLimits;
  readonly takePlace: TakePlace;
  readonly clock: Clock;
}

/** Timers count whole milliseconds, and may be early by a part of one. */
const TIMER_MS = 1;

/**
 * Waits until one more item of a batch may run: for a place of its caller, and for one of the process.
 * Resolves with what gives both back; null where there was none by the deadline, and from then on without
 * waiting. What need not wait may run at any time: its evidence may be at hand.
 */
export function createWaitForTurn(
  { holdToLimits, takePlace, clock }: WaitForTurnDependencies,
  caller: LimitedCaller | null,
  deadlineAtMs: number,
): () => Promise<(() => void) | null> {
  const lanes = createLanes(caller, holdToLimits);
  let isTooLate = false;
  const inTime = async (event: Promise<boolean>): Promise<boolean> => {
    const happened = await settleBy(event, deadlineAtMs - clock.monotonicMs(), false);
    // The items under way end at the deadline too, and others must not begin in their places then.
    isTooLate = !happened || clock.monotonicMs() >= deadlineAtMs - TIMER_MS;
    return !isTooLate;
  };
  const waitForLane = async (): Promise<(() => void) | null> => {
    for (;;) {
      // Asked for before the attempt, so that nothing that becomes free meanwhile is missed.
      const freed = lanes.freed().then(() => true);
      const leave = await lanes.take();
      if (leave !== null) return leave;
      if (!(await inTime(freed))) return null;
    }
  };
  return async () => {
    const leaveLane = isTooLate ? null : await waitForLane();
    if (leaveLane === null) return null;
    const told = Promise.withResolvers<boolean>();
    const known: { isGranted: boolean | null } = { isGranted: null };
    const leavePlace = takePlace((isGranted) => {
      known.isGranted = isGranted;
      told.resolve(isGranted);
    });
    const leave = () => {
      leavePlace();
      leaveLane();
    };
    if (known.isGranted ?? (await inTime(told.promise))) return leave;
    leave();
    return null;
  };
}
