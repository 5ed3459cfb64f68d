import type { Reading } from './reading.ts';

/** How an alert can be, the worst last. */
export const ALERT_STATES = ['ok', 'too_few', 'unknown', 'pending', 'firing'] as const;

/** How one alert is. Times are Unix milliseconds. */
export interface AlertState {
  readonly state: (typeof ALERT_STATES)[number];
  /** When it came into this state. */
  readonly sinceMs: number;
  /** Since when its rule has been met without a reading that said otherwise; null while it is not. */
  readonly overSinceMs: number | null;
  /** When it fired, while it does. */
  readonly firedAtMs: number | null;
  /** The latest. */
  readonly reading: Reading;
}

/**
 * The next state, by what was read. It fires once its rule has been met for `forMs`, and is over when a reading says
 * so: one that says nothing neither fires it nor ends it.
 */
export function toNextState(
  previous: AlertState | null,
  reading: Reading,
  forMs: number,
  nowMs: number,
): AlertState {
  const { overSinceMs, firedAtMs } = nextTimes(previous, reading, forMs, nowMs);
  const state = nameOf(reading, overSinceMs, firedAtMs);
  const sinceMs = previous?.state === state ? previous.sinceMs : nowMs;
  return { state, sinceMs, overSinceMs, firedAtMs, reading };
}

/** What changed for those who are told: it fires, or does so no longer. */
export function changeBetween(
  previous: Pick<AlertState, 'firedAtMs'> | null,
  next: Pick<AlertState, 'firedAtMs'>,
): 'firing' | 'resolved' | null {
  const didFire = previous !== null && previous.firedAtMs !== null;
  if (didFire === (next.firedAtMs !== null)) return null;
  return didFire ? 'resolved' : 'firing';
}

function nextTimes(
  previous: AlertState | null,
  reading: Reading,
  forMs: number,
  nowMs: number,
): Pick<AlertState, 'overSinceMs' | 'firedAtMs'> {
  const before = previous ?? { overSinceMs: null, firedAtMs: null };
  if (reading.kind !== 'measured') return before;
  if (!reading.isOver) return { overSinceMs: null, firedAtMs: null };
  const overSinceMs = before.overSinceMs ?? nowMs;
  const isLongEnough = nowMs - overSinceMs >= forMs;
  return { overSinceMs, firedAtMs: before.firedAtMs ?? (isLongEnough ? nowMs : null) };
}

function nameOf(reading: Reading, overSinceMs: number | null, firedAtMs: number | null): AlertState['state'] {
  if (firedAtMs !== null) return 'firing';
  if (reading.kind !== 'measured') return reading.kind;
  return overSinceMs === null ? 'ok' : 'pending';
}
