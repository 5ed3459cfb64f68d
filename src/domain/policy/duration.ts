const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** How a duration is written in a policy: a whole number and one unit, such as `90s`, `30m`, `24h` or `7d`. */
const DURATION = /^(0|[1-9][0-9]{0,6})([smhd])$/;

/** The message for a text that is no duration. */
export const DURATION_MISTAKE = 'must be a whole number and a unit: 90s, 30m, 24h or 7d';

/** The seconds of a duration, or null for a text that is none. */
export function toSeconds(duration: string): number | null {
  const [, amount, unit] = DURATION.exec(duration) ?? [];
  if (amount === undefined) return null;
  return Number(amount) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS];
}
