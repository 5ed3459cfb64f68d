import { address, go } from './view-state.ts';
import type { Stats } from './wire.ts';

/** Shows the steps from one to another, both included: numbers, charts and list alike. */
export function zoomTo(
  { steps, step_seconds: seconds }: Pick<Stats, 'steps' | 'step_seconds'>,
  one: number,
  other: number,
): void {
  const first = steps[Math.max(0, Math.min(one, other))];
  const last = steps[Math.min(steps.length - 1, Math.max(one, other))];
  if (first === undefined || last === undefined) return;
  const until = new Date(Date.parse(last.at) + seconds * 1000).toISOString();
  go({ filters: { ...address.value.filters, since: first.at, until } });
}

/** Shows the whole window again. */
export function zoomOut(): void {
  const { since: _, until: __, ...filters } = address.value.filters;
  go({ filters });
}
