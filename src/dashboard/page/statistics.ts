import { signal } from '@preact/signals';
import type { Window } from './address.ts';
import { type ApiClient, ApiError } from './api-client.ts';
import type { ProviderState, Stats } from './wire.ts';

/** Everything that the numbers and charts are drawn from; null until the first answer. */
export interface Statistics {
  readonly window: Window;
  readonly verdicts: Stats;
  readonly reasons: Stats;
  readonly degraded: Stats;
  readonly outcomes: Stats;
  readonly cacheUse: Stats;
  readonly rules: Stats;
  readonly callers: Stats;
  readonly providers: readonly ProviderState[];
}

/** The latest statistics; null before the first. */
export const statistics = signal<Statistics | null>(null);
/** Why the numbers are stale; empty while they are not. */
export const statisticsError = signal('');

/** Steps of a chart: fine enough to see a burst, few enough to draw each. */
const STEPS: Readonly<Record<Window, string>> = {
  '15m': '1m',
  '1h': '1m',
  '6h': '5m',
  '24h': '15m',
  '7d': '2h',
  '30d': '12h',
};
/** A window of an hour moves while one looks at it; one of a month does not. */
const INTERVAL_MS: Readonly<Record<Window, number>> = {
  '15m': 2_000,
  '1h': 2_000,
  '6h': 5_000,
  '24h': 10_000,
  '7d': 30_000,
  '30d': 60_000,
};
/** What changes slowly, or interests less, is asked for every so many rounds. */
const SLOW_ROUNDS = 3;

/**
 * Asks for the numbers of `window` again and again, until the returned function is called. Nothing is asked
 * while the page is hidden.
 */
export function followStatistics(
  client: ApiClient,
  window: Window,
  onError: (error: unknown) => void,
): () => void {
  const ending = new AbortController();
  const { signal: ended } = ending;
  let known: Statistics | null = null;
  let round = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = async (): Promise<void> => {
    let pauseMs = INTERVAL_MS[window];
    try {
      if (known === null || !document.hidden) {
        const isSlowRound = round % SLOW_ROUNDS === 0;
        known = await read(client, window, isSlowRound ? null : known, ended);
        round += 1;
        statistics.value = known;
        statisticsError.value = '';
      }
    } catch (error) {
      if (ended.aborted) return;
      statisticsError.value = error instanceof Error ? error.message : 'no answer';
      pauseMs = Math.max(pauseMs, (error instanceof ApiError ? error.retryAfterMs : null) ?? 2_000);
      onError(error);
    }
    timer = setTimeout(() => void run(), pauseMs);
  };
  void run();
  return () => {
    ending.abort();
    clearTimeout(timer);
  };
}

async function read(
  client: ApiClient,
  window: Window,
  known: Statistics | null,
  signal: AbortSignal,
): Promise<Statistics> {
  // The entity tag makes an answer that has not changed a 304.
  const options = { signal, cache: 'no-cache' } as const;
  const ask = (group: string) =>
    client.get<Stats>('v1/stats', { window, step: STEPS[window], group_by: group }, options);
  const [verdicts, reasons, outcomes, { providers }] = await Promise.all([
    ask('decision'),
    ask('reason'),
    ask('provider_outcome'),
    client.get<{ providers: ProviderState[] }>('v1/providers', {}, { signal }),
  ]);
  const fast = { window, verdicts, reasons, outcomes, providers };
  if (known !== null) return { ...known, ...fast };
  const [degraded, cacheUse, rules, callers] = await Promise.all([
    ask('degraded'),
    ask('provider_cache'),
    ask('rule'),
    ask('caller'),
  ]);
  return { ...fast, degraded, cacheUse, rules, callers };
}
