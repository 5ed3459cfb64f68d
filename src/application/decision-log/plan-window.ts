import { failure, type Result, success } from '../../domain/result.ts';
import { type CountPeriod, PERIOD_MS } from './decision-log.ts';

/**
 * A window of whole steps, Unix milliseconds. A step is a whole number of periods.
 */
export interface StatsWindow {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly stepMs: number;
  readonly period: CountPeriod;
}

/** Which window is asked for. Null where it does not say. */
export interface WindowQuestion {
  /** Its length, Unix milliseconds; not with `sinceMs`. */
  readonly windowMs: number | null;
  /** Its ends, Unix milliseconds. They are moved outwards to whole steps. Without an end it ends now. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** Chosen to suit the window where it is null. */
  readonly stepMs: number | null;
  /** The window before it, of the same length, is asked for too. */
  readonly isCompared: boolean;
}

type WindowField = 'window' | 'since' | 'until' | 'step';

/** The longest window that statistics are asked for, milliseconds: 400 days. */
export const WINDOW_MS_MAX = 400 * 24 * PERIOD_MS.hour;
/** A day of minutes, and some more. */
const STEPS_MAX = 1_500;
const WINDOW_MS_DEFAULT = PERIOD_MS.hour;

/** Step lengths for charts, each with the shortest window that it suits. */
const STEPS_MS: readonly (readonly [aboveMs: number, stepMs: number])[] = [
  [PERIOD_MS.hour, PERIOD_MS.five_minutes],
  [6 * PERIOD_MS.hour, 15 * PERIOD_MS.minute],
  [24 * PERIOD_MS.hour, PERIOD_MS.hour],
  [7 * 24 * PERIOD_MS.hour, 6 * PERIOD_MS.hour],
  [60 * 24 * PERIOD_MS.hour, 24 * PERIOD_MS.hour],
];
/** The longest first. */
const PERIODS = ['hour', 'five_minutes', 'minute'] as const satisfies readonly CountPeriod[];

/**
 * The window that is asked for at a time, or the field that exceeds its limit and why. The last step of one
 * that ends now is the current one. `minutesKeptMs`: see DecisionLogReader.
 */
export function planWindow(
  question: WindowQuestion,
  nowMs: number,
  minutesKeptMs: number,
): Result<StatsWindow, { readonly field: WindowField; readonly detail: string }> {
  const refuse = (field: WindowField, detail: string) => failure([{ field, detail }]);
  const endMs = Math.min(question.untilMs ?? nowMs, nowMs);
  const beginMs = question.sinceMs ?? endMs - (question.windowMs ?? WINDOW_MS_DEFAULT);
  const lengthMs = endMs - beginMs;
  const named = question.sinceMs === null ? 'window' : 'since';
  if (question.sinceMs !== null && question.windowMs !== null)
    return refuse('window', 'is given beside since');
  if (lengthMs <= 0) return refuse('since', 'must be before until, and in the past');
  if (lengthMs > WINDOW_MS_MAX) return refuse(named, 'must be 400d at most');
  const firstMs = question.isCompared ? beginMs - lengthMs : beginMs;
  const least = firstMs >= nowMs - minutesKeptMs ? 'minute' : 'hour';
  const isExact = question.sinceMs === null;
  if (isExact && lengthMs % PERIOD_MS[least] !== 0)
    return refuse('window', 'must be whole hours where minutes are no longer counted');
  const stepMs = question.stepMs ?? fittingStep(lengthMs, PERIOD_MS[least], isExact);
  if (stepMs % PERIOD_MS[least] !== 0)
    return refuse('step', 'must be whole hours where minutes are no longer counted');
  if (isExact && lengthMs % stepMs !== 0) return refuse('step', 'must divide the window');
  const window = toSteps(beginMs, endMs, stepMs, question.untilMs === null || question.untilMs > nowMs);
  const sinceMs = isExact ? window.untilMs - lengthMs : window.sinceMs;
  if ((window.untilMs - sinceMs) / stepMs > STEPS_MAX) return refuse('step', 'must be longer: 1500 at most');
  // Steps begin at multiples of their length, and so do the periods that they consist of.
  const period = PERIODS.find((name) => stepMs % PERIOD_MS[name] === 0) ?? least;
  return success({ sinceMs, untilMs: window.untilMs, stepMs, period });
}

/** The window of the same length that ends where this one begins. */
export function windowBefore(window: StatsWindow): StatsWindow {
  const { sinceMs, untilMs } = window;
  return { ...window, sinceMs: 2 * sinceMs - untilMs, untilMs: sinceMs };
}

/** Moves both ends outwards; where it ends now, the present step is a part of it. */
function toSteps(beginMs: number, endMs: number, stepMs: number, isUntilNow: boolean) {
  const down = (timeMs: number) => Math.floor(timeMs / stepMs) * stepMs;
  const untilMs = isUntilNow ? down(endMs) + stepMs : Math.ceil(endMs / stepMs) * stepMs;
  return { sinceMs: down(beginMs), untilMs };
}

/** The longest of the usual steps that suits the window, and divides it where it is exact. */
function fittingStep(windowMs: number, leastMs: number, isExact: boolean): number {
  const usual = STEPS_MS.findLast(
    ([aboveMs, stepMs]) =>
      windowMs > aboveMs && stepMs % leastMs === 0 && (!isExact || windowMs % stepMs === 0),
  );
  return usual?.[1] ?? leastMs;
}
