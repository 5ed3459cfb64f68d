import t from 'tap';
import {
  planWindow,
  WINDOW_MS_MAX,
  type WindowQuestion,
  windowBefore,
} from '../../../src/application/decision-log/plan-window.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW_MS = Date.parse('2026-01-15T09:31:20.000Z');
const at = (text: string) => Date.parse(`2026-01-${text}Z`);

/** Of a log that counts minutes for a day. */
function plan(question: Partial<WindowQuestion>, minutesKeptMs = DAY_MS, nowMs = NOW_MS) {
  const whole = { windowMs: null, sinceMs: null, untilMs: null, stepMs: null, isCompared: false };
  return planWindow({ ...whole, ...question }, nowMs, minutesKeptMs);
}

t.test('plans windows of whole steps that end with the present one', async (t) => {
  t.same(plan({ windowMs: HOUR_MS }), {
    ok: true,
    value: {
      sinceMs: at('15T08:32:00.000'),
      untilMs: at('15T09:32:00.000'),
      stepMs: MINUTE_MS,
      period: 'minute',
    },
  });
  t.same(plan({}), plan({ windowMs: HOUR_MS }), 'an hour where nothing is said');
  const steps: readonly (readonly [windowMs: number, stepMs: number, period: string])[] = [
    [MINUTE_MS, MINUTE_MS, 'minute'],
    [61 * MINUTE_MS, MINUTE_MS, 'minute'],
    [2 * HOUR_MS, 5 * MINUTE_MS, 'five_minutes'],
    [24 * HOUR_MS, 15 * MINUTE_MS, 'five_minutes'],
    [25 * HOUR_MS, HOUR_MS, 'hour'],
    [169 * HOUR_MS, HOUR_MS, 'hour'],
    [30 * DAY_MS, 6 * HOUR_MS, 'hour'],
    [WINDOW_MS_MAX, DAY_MS, 'hour'],
  ];
  for (const [windowMs, stepMs, period] of steps)
    t.match(plan({ windowMs }), { ok: true, value: { stepMs, period } }, `${windowMs / HOUR_MS} hours`);
});

t.test('counts the step that begins at this moment as the present one', async (t) => {
  const startMs = at('15T09:31:00.000');
  t.match(plan({ windowMs: HOUR_MS }, DAY_MS, startMs), { value: { untilMs: startMs + MINUTE_MS } });
  t.match(plan({ windowMs: HOUR_MS }, DAY_MS, startMs - 1), { value: { untilMs: startMs } });
});

t.test('moves given ends outwards to whole steps', async (t) => {
  const [sinceMs, untilMs] = [at('15T06:10:30.000'), at('15T09:02:30.000')];
  t.match(plan({ sinceMs, untilMs }), {
    value: { sinceMs: at('15T06:10:00'), untilMs: at('15T09:05:00'), stepMs: 5 * MINUTE_MS },
  });
  t.match(plan({ sinceMs }), { value: { untilMs: at('15T09:35:00') } }, 'until now');
  t.match(plan({ sinceMs, untilMs: NOW_MS + DAY_MS }), { value: { untilMs: at('15T09:35:00') } });
  t.match(plan({ untilMs: at('15T09:00:00'), windowMs: HOUR_MS }), {
    value: { sinceMs: at('15T08:00:00'), untilMs: at('15T09:00:00') },
  });
  t.match(plan({ untilMs: at('15T09:00:30'), windowMs: HOUR_MS, stepMs: 20 * MINUTE_MS }), {
    value: { sinceMs: at('15T08:20:00'), untilMs: at('15T09:20:00') },
  });
});

t.test('counts by hours where minutes are no longer counted', async (t) => {
  const [sinceMs, untilMs] = [at('10T06:10:00'), at('10T08:10:00')];
  const hours = { sinceMs: at('10T06:00:00'), untilMs: at('10T09:00:00'), stepMs: HOUR_MS, period: 'hour' };
  t.match(plan({ sinceMs, untilMs }), { value: hours });
  t.match(plan({ sinceMs, untilMs }, Number.POSITIVE_INFINITY), { value: { stepMs: 5 * MINUTE_MS } });
  t.match(plan({ windowMs: 13 * HOUR_MS, isCompared: true }), { value: { stepMs: HOUR_MS } });
  t.match(plan({ windowMs: 12 * HOUR_MS, isCompared: true }), { value: { stepMs: 15 * MINUTE_MS } });
});

t.test('names the field that asks too much', async (t) => {
  const refused: readonly (readonly [Partial<WindowQuestion>, field: string])[] = [
    [{ windowMs: WINDOW_MS_MAX + HOUR_MS }, 'window'],
    [{ windowMs: 1501 * MINUTE_MS }, 'window'],
    [{ windowMs: 48 * HOUR_MS, stepMs: 15 * MINUTE_MS }, 'step'],
    [{ windowMs: HOUR_MS, stepMs: 7 * MINUTE_MS }, 'step'],
    [{ windowMs: 1501 * HOUR_MS, stepMs: HOUR_MS }, 'step'],
    [{ sinceMs: NOW_MS - WINDOW_MS_MAX - 1 }, 'since'],
    [{ sinceMs: NOW_MS }, 'since'],
    [{ sinceMs: NOW_MS + HOUR_MS, untilMs: NOW_MS + DAY_MS }, 'since'],
    [{ sinceMs: NOW_MS - DAY_MS, untilMs: NOW_MS - DAY_MS }, 'since'],
    [{ sinceMs: NOW_MS - DAY_MS, windowMs: HOUR_MS }, 'window'],
  ];
  for (const [question, field] of refused)
    t.match(plan(question), { ok: false, mistakes: [{ field }] }, JSON.stringify(question));
  t.match(plan({ windowMs: 1500 * HOUR_MS, stepMs: HOUR_MS }), { ok: true });
});

t.test('counts by the longest period that divides a step', async (t) => {
  const plans: readonly (readonly [stepMs: number, period: string])[] = [
    [3 * MINUTE_MS, 'minute'],
    [10 * MINUTE_MS, 'five_minutes'],
    [2 * HOUR_MS, 'hour'],
  ];
  for (const [stepMs, period] of plans)
    t.match(plan({ windowMs: 6 * HOUR_MS, stepMs }), { ok: true, value: { stepMs, period } });
});

t.test('ends the window before where this one begins', async (t) => {
  const window = { sinceMs: 50, untilMs: 80, stepMs: 10, period: 'minute' } as const;
  t.same(windowBefore(window), { sinceMs: 20, untilMs: 50, stepMs: 10, period: 'minute' });
});
