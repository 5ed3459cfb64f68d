import { failure, type Result, success } from '../../domain/result.ts';
import { type CountPeriod, MINUTES_KEPT_MS, PERIOD_MS } from './decision-log.ts';

/**
 * A window of whole steps, Unix milliseconds. The last step is the current one. A step is a whole number of
 * periods.
 */
export interface StatsWindow {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly stepMs: number;
  readonly period: CountPeriod;
}

/** The longest window that statistics are asked for, milliseconds: 30 days. */
export const WINDOW_MS_MAX = 30 * 24 * PERIOD_MS.hour;

/** Step lengths for charts, each with the shortest window that it suits. */
const STEPS_MS: readonly (readonly [aboveMs: number, stepMs: number])[] = [
  [PERIOD_MS.hour, PERIOD_MS.five_minutes],
  [6 * PERIOD_MS.hour, 15 * PERIOD_MS.minute],
  [MINUTES_KEPT_MS, PERIOD_MS.hour],
  [7 * 24 * PERIOD_MS.hour, 6 * PERIOD_MS.hour],
];
/** The longest first. */
const PERIODS = ['hour', 'five_minutes', 'minute'] as const satisfies readonly CountPeriod[];

/**
 * The window of `windowMs` that ends with the current step, or the field that exceeds its limit and why. A
 * `stepMs` of null chooses a step.
 */
export function planWindow(
  windowMs: number,
  stepMs: number | null,
  nowMs: number,
): Result<StatsWindow, { readonly field: 'window' | 'step'; readonly detail: string }> {
  if (windowMs > WINDOW_MS_MAX) return failure([{ field: 'window', detail: 'must be 30d at most' }]);
  const least = windowMs > MINUTES_KEPT_MS ? 'hour' : 'minute';
  if (windowMs % PERIOD_MS[least] !== 0)
    return failure([{ field: 'window', detail: 'must be whole hours above 24h' }]);
  const length = stepMs ?? fittingStep(windowMs);
  if (length % PERIOD_MS[least] !== 0)
    return failure([{ field: 'step', detail: 'must be whole hours for a window above 24h' }]);
  if (windowMs % length !== 0) return failure([{ field: 'step', detail: 'must divide the window' }]);
  const untilMs = (Math.floor(nowMs / length) + 1) * length;
  // Steps begin at multiples of their length, and so do the periods that they consist of.
  const period = PERIODS.find((name) => length % PERIOD_MS[name] === 0) ?? least;
  return success({ sinceMs: untilMs - windowMs, untilMs, stepMs: length, period });
}

/** The longest of the usual steps that suits the window and divides it. */
function fittingStep(windowMs: number): number {
  const usual = STEPS_MS.findLast(([aboveMs, stepMs]) => windowMs > aboveMs && windowMs % stepMs === 0);
  return usual?.[1] ?? PERIOD_MS.minute;
}
