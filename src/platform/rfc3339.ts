const DAY_MS = 86_400_000;
const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));

/** Today, and the days that evidence speaks of: when ids were made, seen and run out. */
const DAYS_MAX = 64;
const dates = new Map<number, string>();

/**
 * A Unix time in milliseconds as RFC 3339 in UTC with milliseconds, as `toISOString` writes it and in a fifth
 * of its time: the dates of the latest days asked for are remembered. Throws a RangeError for what is no
 * time.
 */
export function toRfc3339(unixMs: number): string {
  const day = Math.floor(unixMs / DAY_MS);
  let date = dates.get(day);
  if (date === undefined) {
    date = new Date(unixMs).toISOString().slice(0, -13);
    if (dates.size >= DAYS_MAX) dates.clear();
    dates.set(day, date);
  }
  const inDayMs = Math.floor(unixMs) - day * DAY_MS;
  const ms = inDayMs % 1000;
  const seconds = (inDayMs - ms) / 1000;
  const hour = TWO_DIGITS[Math.floor(seconds / 3600)];
  const minute = TWO_DIGITS[Math.floor(seconds / 60) % 60];
  return `${date}${hour}:${minute}:${TWO_DIGITS[seconds % 60]}.${String(ms).padStart(3, '0')}Z`;
}
