import { formatShare } from './format.ts';

const NOT_BEFORE = 'nothing before';
const NOT_NOW = 'nothing to compare';

/** How a number stands to that of the window before, for a person: by how many per cent it is more or fewer. */
export function changeOf(now: number | null, before: number | null): string {
  if (now === null) return NOT_NOW;
  if (before === null || before === 0) return NOT_BEFORE;
  return tell(now - before, formatShare(Math.abs(now - before) / before));
}

/** The same of shares: by how many percentage points. */
export function pointsOf(now: number | null, before: number | null): string {
  if (now === null) return NOT_NOW;
  if (before === null) return NOT_BEFORE;
  const points = Math.abs(now - before) * 100;
  return tell(now - before, `${points.toFixed(points < 10 ? 1 : 0)} points`);
}

function tell(change: number, amount: string): string {
  if (change === 0) return 'as before';
  return `${change > 0 ? '+' : '−'}${amount}`;
}
