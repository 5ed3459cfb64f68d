import type { Window } from './address.ts';
import { type ApiClient, ApiError } from './api-client.ts';
import type { Stats } from './wire.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const LENGTHS_MS: readonly (readonly [Window, number])[] = [
  ['15m', 15 * MINUTE_MS],
  ['1h', 60 * MINUTE_MS],
  ['6h', 360 * MINUTE_MS],
  ['24h', DAY_MS],
  ['7d', 7 * DAY_MS],
  ['30d', 30 * DAY_MS],
];

/** How often a service that is busy is asked again, and how long after where it does not say. */
const TRIES = 5;
const PAUSE_MS = 2_000;

/**
 * The shortest window that holds all decisions of the last hour; where there are none, of the last 30 days. Null
 * where there are none either. A service that is busy is asked again. Rejects as the client does.
 */
export async function findWindow(client: ApiClient, signal: AbortSignal): Promise<Window | null> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await findOnce(client, signal);
    } catch (error) {
      const isBusy = error instanceof ApiError && (error.status === 503 || error.status === 429);
      if (!isBusy || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs ?? PAUSE_MS));
      signal.throwIfAborted();
    }
  }
}

async function findOnce(client: ApiClient, signal: AbortSignal): Promise<Window | null> {
  for (const [window, step] of [
    ['1h', '1m'],
    ['30d', '1h'],
  ] as const) {
    const stats = await client.get<Stats>('v1/stats', { window, step }, { signal, cache: 'no-cache' });
    const found = windowOf(stats);
    if (found !== null) return found;
  }
  return null;
}

/** The shortest window that holds every decision of these statistics, which end now; null without any. */
export function windowOf({ steps, until }: Pick<Stats, 'steps' | 'until'>): Window | null {
  const first = steps.find(({ total }) => total > 0);
  if (first === undefined) return null;
  const spanMs = Date.parse(until) - Date.parse(first.at);
  return LENGTHS_MS.find(([, lengthMs]) => spanMs <= lengthMs)?.[0] ?? '30d';
}
