import type { ApiClient } from './api-client.ts';
import { useAnswer } from './use-answer.ts';
import type { AlertsAnswer } from './wire.ts';

const EVERY_MS = 10_000;

/** How many alerts fire; a question mark where one cannot be read, or none of them. Nothing while all is well. */
export function AlertBadge({ client }: { readonly client: ApiClient }) {
  const reading = useAnswer<AlertsAnswer>(client, 'v1/alerts', {}, EVERY_MS).value;
  if (reading.kind === 'loading') return null;
  const alerts = reading.kind === 'ready' ? reading.answer.alerts : [];
  const firing = alerts.filter(({ state }) => state === 'firing').length;
  if (firing > 0)
    return (
      <span class="badge badge-firing" role="status">
        {firing}
        <span class="visually-hidden"> {firing === 1 ? 'fires' : 'fire'}</span>
      </span>
    );
  if (reading.kind === 'ready' && alerts.every(({ state }) => state !== 'unknown')) return null;
  return (
    <span class="badge badge-unknown" role="status">
      ?<span class="visually-hidden"> some cannot be read</span>
    </span>
  );
}
