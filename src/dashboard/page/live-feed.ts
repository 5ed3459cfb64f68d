import { signal } from '@preact/signals';
import type { ApiClient, ApiError, Query } from './api-client.ts';
import { followDecisions, type StreamState } from './decision-stream.ts';
import { createRateMeter } from './rate-meter.ts';
import { createRowBuffer, type RowBuffer } from './row-buffer.ts';
import type { DecisionPage, Gap } from './wire.ts';

/** As many rows as the table keeps; older ones are read again from the service. */
const ROWS_MAX = 100_000;
const PAGE_ROWS = '100';
/** Pages that are looked through in a row without a hit before the user is asked to go on. */
const EMPTY_PAGES_MAX = 20;

type ListState = 'loading' | 'ready' | 'failed';

/** The decisions that the list shows. */
export const rows: RowBuffer = createRowBuffer(ROWS_MAX);
/** Rises whenever rows have changed, at most once for each frame. */
export const revision = signal(0);

/** How the stream stands. */
export const streamState = signal<StreamState>('connecting');

/** How the loading of the list stands. */
export const listState = signal<ListState>('loading');

/** Why the list could not be loaded; empty where it could. */
export const listError = signal('');

/** True while older decisions are fetched. */
export const isLoadingMore = signal(false);
/** True when the service has nothing older. */
export const isComplete = signal(false);

/** Where decisions are missing from the stream. */
export const gaps = signal<readonly Gap[]>([]);
/** Decisions of the last minute, by second, oldest first: of those that the filters let through. */
export const ratePerSecond = signal<readonly number[]>([]);

const GAPS_SHOWN_MAX = 3;
const meter = createRateMeter(60);
let running = new AbortController();
let cursor: string | null = null;
/** Rows that made room since the table last asked. */
let dropped = 0;

/**
 * How many of the rows that arrived have gone since the last call: a place among them that is
 * remembered has to move by as many.
 */
export function takeDropped(): number {
  const count = dropped;
  dropped = 0;
  return count;
}

/**
 * Shows what matches `query` and follows it, until the returned function is called. `onError` hears of every
 * failed request.
 */
export function startFeed(client: ApiClient, query: Query, onError: (error: unknown) => void): () => void {
  const ending = new AbortController();
  running = ending;
  const { signal: ended } = ending;
  resetFeed();
  const frame = createFrame(ended);
  const load = () => void loadNewest(client, query, ended, onError).then(frame.request);
  // What is new has no label: the stream takes no such filter, and is listened to for where the list begins.
  const { label, ...streamed } = query;
  const takesNew = label === undefined || label === 'none';
  void followDecisions(
    client,
    streamed,
    {
      onDecision: (decision) => {
        if (!takesNew) return;
        dropped += rows.add(decision);
        meter.count(Date.now());
        frame.request();
      },
      onGap: (gap) => {
        gaps.value = [...gaps.value, gap].slice(-GAPS_SHOWN_MAX);
        if (gap.cause === 'not_kept') load();
      },
      onReady: (resumed) => {
        if (!resumed) load();
      },
      onState: (state) => {
        streamState.value = state;
      },
      onRefused: (error: ApiError) => onError(error),
    },
    ended,
  );
  const startedAtMs = Date.now();
  const ticking = setInterval(() => {
    const nowMs = Date.now();
    ratePerSecond.value = meter.read(nowMs).slice(-Math.max(1, Math.floor((nowMs - startedAtMs) / 1000)));
  }, 1000);
  return () => {
    ending.abort();
    clearInterval(ticking);
  };
}

/** Reads one page of older decisions, and further while pages are empty. */
export async function loadMore(
  client: ApiClient,
  query: Query,
  onError: (error: unknown) => void,
): Promise<void> {
  if (isLoadingMore.value || cursor === null || !rows.hasRoom) return;
  const { signal: ended } = running;
  isLoadingMore.value = true;
  try {
    await readPages(client, query, ended, takePage);
    revision.value += 1;
  } catch (error) {
    if (!ended.aborted) onError(error);
  } finally {
    isLoadingMore.value = false;
  }
}

/** True while older decisions can be asked for. */
export function hasMore(): boolean {
  return cursor !== null && rows.hasRoom;
}

function resetFeed(): void {
  rows.clear();
  meter.clear();
  cursor = null;
  dropped = 0;
  gaps.value = [];
  ratePerSecond.value = [];
  isComplete.value = false;
  listState.value = 'loading';
  revision.value += 1;
}

async function loadNewest(
  client: ApiClient,
  query: Query,
  ended: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  const before = rows.arrived;
  let isFirst = true;
  try {
    cursor = null;
    await readPages(client, query, ended, (page) => {
      // What has arrived meanwhile may be younger than the answer.
      if (isFirst) rows.keepArrivedAfter(before);
      isFirst = false;
      takePage(page);
    });
    listState.value = 'ready';
    listError.value = '';
  } catch (error) {
    if (ended.aborted) return;
    listState.value = 'failed';
    listError.value = error instanceof Error ? error.message : '';
    onError(error);
  }
}

/** Reads pages from the cursor on until one holds something. Rejects when it has been ended. */
async function readPages(
  client: ApiClient,
  query: Query,
  ended: AbortSignal,
  take: (page: DecisionPage) => void,
): Promise<void> {
  for (let pages = 0; pages < EMPTY_PAGES_MAX; pages += 1) {
    const asked = cursor === null ? {} : { cursor };
    const page = await client.get<DecisionPage>(
      'v1/decisions',
      { ...query, limit: PAGE_ROWS, ...asked },
      { signal: ended },
    );
    ended.throwIfAborted();
    take(page);
    if (page.decisions.length > 0 || page.next_cursor === null) return;
  }
}

function takePage({ decisions, next_cursor: next }: DecisionPage): void {
  rows.append(decisions);
  cursor = next;
  isComplete.value = next === null;
}

/** However many decisions arrive, the page is drawn once for each frame. A hidden page draws nothing. */
function createFrame(ended: AbortSignal): { request(): void } {
  let isRequested = false;
  return {
    request: () => {
      if (isRequested) return;
      isRequested = true;
      requestAnimationFrame(() => {
        isRequested = false;
        if (!ended.aborted) revision.value += 1;
      });
    },
  };
}
