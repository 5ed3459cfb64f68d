import t from 'tap';
import { planWindow, WINDOW_MS_MAX } from '../../../src/application/decision-log/plan-window.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const NOW_MS = Date.parse('2026-01-15T09:31:20.000Z');

t.test('plans windows of whole steps that end with the present one', async (t) => {
  const planned = planWindow(HOUR_MS, null, NOW_MS);
  t.same(planned, {
    ok: true,
    value: {
      sinceMs: Date.parse('2026-01-15T08:32:00.000Z'),
      untilMs: Date.parse('2026-01-15T09:32:00.000Z'),
      stepMs: MINUTE_MS,
      period: 'minute',
    },
  });
  const steps: readonly (readonly [windowMs: number, stepMs: number, period: string])[] = [
    [MINUTE_MS, MINUTE_MS, 'minute'],
    [61 * MINUTE_MS, MINUTE_MS, 'minute'],
    [2 * HOUR_MS, 5 * MINUTE_MS, 'five_minutes'],
    [24 * HOUR_MS, 15 * MINUTE_MS, 'five_minutes'],
    [25 * HOUR_MS, HOUR_MS, 'hour'],
    [169 * HOUR_MS, HOUR_MS, 'hour'],
    [WINDOW_MS_MAX, 6 * HOUR_MS, 'hour'],
  ];
  for (const [windowMs, stepMs, period] of steps)
    t.match(planWindow(windowMs, null, NOW_MS), { ok: true, value: { stepMs, period } });
});

t.test('counts the step that begins at this moment as the present one', async (t) => {
  const startMs = Date.parse('2026-01-15T09:31:00.000Z');
  t.match(planWindow(HOUR_MS, null, startMs), { value: { untilMs: startMs + MINUTE_MS } });
  t.match(planWindow(HOUR_MS, null, startMs - 1), { value: { untilMs: startMs } });
});

t.test('names the field that asks too much', async (t) => {
  const refused: readonly (readonly [windowMs: number, stepMs: number | null, field: string])[] = [
    [WINDOW_MS_MAX + MINUTE_MS, null, 'window'],
    [1501 * MINUTE_MS, null, 'window'],
    [48 * HOUR_MS, 15 * MINUTE_MS, 'step'],
    [HOUR_MS, 7 * MINUTE_MS, 'step'],
  ];
  for (const [windowMs, stepMs, field] of refused)
    t.match(planWindow(windowMs, stepMs, NOW_MS), { ok: false, mistakes: [{ field }] });
});

t.test('counts by the longest period that divides a step', async (t) => {
  const plans: readonly (readonly [stepMs: number, period: string])[] = [
    [3 * MINUTE_MS, 'minute'],
    [10 * MINUTE_MS, 'five_minutes'],
    [2 * HOUR_MS, 'hour'],
  ];
  for (const [stepMs, period] of plans)
    t.match(planWindow(6 * HOUR_MS, stepMs, NOW_MS), { ok: true, value: { stepMs, period } });
});
