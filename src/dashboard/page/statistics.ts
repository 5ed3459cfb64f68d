import { signal } from '@preact/signals';
import type { Address, Window } from './address.ts';
import { type ApiClient, ApiError, type Query } from './api-client.ts';
import { toWindowQuery } from './window-query.ts';
import type { ProviderState, Stats } from './wire.ts';

/** Everything that the numbers and charts are drawn from; null until the first answer. */
export interface Statistics {
  readonly window: Window;
  /** Of decisions that fit the filters, with those of the window before where they are compared. */
  readonly verdicts: Stats;
  readonly reasons: Stats;
  readonly degraded: Stats;
  /** Of all decisions of the window: how a provider fares does not depend on what is looked for. */
  readonly outcomes: Stats;
  readonly cacheUse: Stats;
  /** Of all decisions of the window. */
  readonly providerCache: Stats;
  readonly rules: Stats;
  readonly callers: Stats;
  readonly providers: readonly ProviderState[];
}

/** What numbers are asked of. */
interface StatisticsQuestion {
  readonly window: Window;
  readonly filters: Address['filters'];
  /** With the window before. */
  readonly isCompared: boolean;
}

/** The latest statistics; null before the first. */
export const statistics = signal<Statistics | null>(null);
/** Why the numbers are stale; empty while they are not. */
export const statisticsError = signal('');

/** A window of an hour moves while one looks at it; one of a month does not. */
const INTERVAL_MS: Readonly<Record<Window, number>> = {
  '15m': 2_000,
  '1h': 2_000,
  '6h': 5_000,
  '24h': 10_000,
  '7d': 30_000,
  '30d': 60_000,
};
/** What fits filters is counted when it is asked for. */
const FILTERED_INTERVAL_MS = 6_000;
/** What changes slowly, or interests less, is asked for every so many rounds. */
const SLOW_ROUNDS = 3;

/**
 * Asks for numbers again and again, until the returned function is called. Nothing is asked while the page is
 * hidden.
 */
export function followStatistics(
  client: ApiClient,
  question: StatisticsQuestion,
  onError: (error: unknown) => void,
): () => void {
  const ending = new AbortController();
  const { signal: ended } = ending;
  let known: Statistics | null = null;
  let round = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = async (): Promise<void> => {
    let pauseMs = intervalOf(question);
    try {
      if (known === null || !document.hidden) {
        const isSlowRound = round % SLOW_ROUNDS === 0;
        known = await read(client, question, isSlowRound ? null : known, ended);
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

function intervalOf({ window, filters }: StatisticsQuestion): number {
  const isFiltered = Object.keys(filters).length > 0;
  return isFiltered ? Math.max(FILTERED_INTERVAL_MS, INTERVAL_MS[window]) : INTERVAL_MS[window];
}

async function read(
  client: ApiClient,
  { window, filters, isCompared }: StatisticsQuestion,
  known: Statistics | null,
  signal: AbortSignal,
): Promise<Statistics> {
  // The entity tag makes an answer that has not changed a 304.
  const options = { signal, cache: 'no-cache' } as const;
  const compare = isCompared ? 'previous' : undefined;
  const query = toWindowQuery({ window, filters });
  const ask = (group: string, more: Query = {}) =>
    client.get<Stats>('v1/stats', { ...query, group_by: group, ...more }, options);
  const askAll = (group: string) => client.get<Stats>('v1/stats', { window, group_by: group }, options);
  const [verdicts, reasons, outcomes, { providers }] = await Promise.all([
    ask('decision', { compare }),
    ask('reason'),
    askAll('provider_outcome'),
    client.get<{ providers: ProviderState[] }>('v1/providers', {}, { signal }),
  ]);
  const fast = { window, verdicts, reasons, outcomes, providers };
  if (known !== null) return { ...known, ...fast };
  const [degraded, cacheUse, providerCache, rules, callers] = await Promise.all([
    ask('degraded'),
    ask('provider_cache', { compare }),
    askAll('provider_cache'),
    ask('rule'),
    ask('caller'),
  ]);
  return { ...fast, degraded, cacheUse, providerCache, rules, callers };
}
