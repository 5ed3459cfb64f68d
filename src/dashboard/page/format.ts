const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  timeZoneName: 'short',
});

/** What stands where there is no value. */
export const NOTHING = '–';

/** A whole number, shortened from ten thousand on. */
export function formatCount(count: number): string {
  return count < 10_000 ? whole.format(count) : compact.format(count);
}

/** A share as a percentage, with a digit more where it is small. */
export function formatShare(share: number | null): string {
  if (share === null) return NOTHING;
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '<0.1%';
  return `${percent.toFixed(percent < 10 && percent > 0 ? 1 : 0)}%`;
}

/** Milliseconds with a unit, as seconds from one second on; a dash for null. */
export function formatMs(ms: number | null): string {
  if (ms === null) return NOTHING;
  if (ms >= 10_000) return `${(ms / 1000).toFixed(0)} s`;
  if (ms >= 1_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

/** A span of time as a person would say it. */
export function formatAge(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** A number for each second, with a decimal below ten. */
export function formatRate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : whole.format(perSecond);
}

/** The time of day; with its date where that is not today. */
export function formatTime(iso: string, nowMs: number): string {
  const time = new Date(iso);
  const text = clock.format(time);
  return time.toDateString() === new Date(nowMs).toDateString() ? text : `${day.format(time)} ${text}`;
}

/** Date and time of an RFC 3339 time, in the zone of the browser. */
export function formatFullTime(iso: string): string {
  return full.format(new Date(iso));
}

/** `not_found` as `not found`. */
export function toWords(name: string): string {
  return name.replaceAll('_', ' ');
}

/** The beginning of a keyed hash: enough to tell those on a page apart. */
export function shortHash(hash: string): string {
  return hash.slice(0, 8);
}
