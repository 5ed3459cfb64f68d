import type { DecisionLogReader } from '../../src/application/decision-log/decision-log.ts';
import { planWindow, type StatsWindow } from '../../src/application/decision-log/plan-window.ts';

const DAY_MS = 86_400_000;

/** The window of a length that ends now, for a log that counts minutes for a day. */
export function planLast(
  windowMs: number,
  stepMs: number | null,
  nowMs: number,
  minutesKeptMs: DecisionLogReader['minutesKeptMs'] = DAY_MS,
): StatsWindow {
  const question = { windowMs, sinceMs: null, untilMs: null, stepMs, isCompared: false };
  const planned = planWindow(question, nowMs, minutesKeptMs);
  if (!planned.ok) throw new Error(planned.mistakes.map(({ field, detail }) => `${field} ${detail}`).join());
  return planned.value;
}
