import type { Weather } from './traffic-subjects.ts';

/** One hour of the month. */
interface MonthHour {
  /** Unix milliseconds. */
  readonly startMs: number;
  readonly weather: Weather;
  readonly decisions: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The last of them is today, as far as it is over. */
const DAYS = 30;
/** Their days are counted from the first one, their hours are UTC. */
const OUTAGE = { day: 11, fromHour: 14, hours: 3 } as const;
const ATTACK = { day: 21, fromHour: 2, hours: 2, times: 9 } as const;
/** When the policy changes, hours after the first one. */
export const POLICY_HOUR = 15 * 24 + 10;

/** How busy each hour of the day is, UTC: quiet nights, and evenings busier than mornings. */
const DAY = [
  0.25, 0.18, 0.14, 0.12, 0.14, 0.22, 0.4, 0.65, 0.85, 0.95, 1, 1, 1.05, 1, 0.95, 0.95, 1, 1.1, 1.25, 1.3,
  1.2, 0.95, 0.65, 0.4,
] as const;
const WEEKEND = 0.7;

/**
 * The hours of a month that ends at `untilMs`, with so many decisions together: days and nights, weekends, an attack
 * by night, and an afternoon in which a provider is away.
 */
export function planMonth(decisions: number, untilMs: number): readonly MonthHour[] {
  // From midnight on, so that hours are those of the day.
  const firstMs = Math.floor(untilMs / DAY_MS) * DAY_MS - (DAYS - 1) * DAY_MS;
  const weights = Array.from({ length: Math.floor((untilMs - firstMs) / HOUR_MS) }, (_, hour) =>
    weightOf(firstMs + hour * HOUR_MS, hour),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let weighed = 0;
  let planned = 0;
  return weights.map((weight, hour) => {
    weighed += weight;
    const before = planned;
    planned = Math.round((decisions * weighed) / sum);
    return { startMs: firstMs + hour * HOUR_MS, weather: weatherOf(hour), decisions: planned - before };
  });
}

function weightOf(startMs: number, hour: number): number {
  const start = new Date(startMs);
  const isWeekend = start.getUTCDay() % 6 === 0;
  const usual = (DAY[start.getUTCHours()] ?? 1) * (isWeekend ? WEEKEND : 1);
  return weatherOf(hour) === 'attack' ? ATTACK.times : usual;
}

function weatherOf(hour: number): Weather {
  const isWithin = ({ day, fromHour, hours }: { day: number; fromHour: number; hours: number }) => {
    const since = hour - (day * 24 + fromHour);
    return since >= 0 && since < hours;
  };
  if (isWithin(ATTACK)) return 'attack';
  return isWithin(OUTAGE) ? 'outage' : 'calm';
}
