import { signal } from '@preact/signals';
import type { ApiClient, Query } from '../api-client.ts';
import type { DecisionPage, DecisionSummary } from '../wire.ts';

/** The decisions of the queue, newest first, as far as they were read. */
export const items = signal<readonly DecisionSummary[]>([]);
/** How the reading of the queue stands; otherwise why it failed. */
export const queueState = signal<'loading' | 'ready' | { readonly failure: string }>('loading');
/** True where older ones can be read. */
export const hasOlder = signal(false);

const PAGE = '50';
/** Requests for one page at most: filters that fit little may give empty pages for a while. */
const PAGES_MAX = 20;
/** More than anybody looks through. */
const ITEMS_MAX = 1_000;

let cursor: string | null = null;

/** Reads the queue anew. Rejects with ApiError, or with the reason of `signal`. */
export async function readQueue(client: ApiClient, query: Query, signal: AbortSignal): Promise<void> {
  cursor = null;
  items.value = [];
  queueState.value = 'loading';
  try {
    await readOlder(client, query, signal);
    queueState.value = 'ready';
  } catch (error) {
    signal.throwIfAborted();
    queueState.value = { failure: error instanceof Error ? error.message : 'no answer' };
    throw error;
  }
}

/** Reads a page of older ones. Rejects as `readQueue` does. */
export async function readOlder(client: ApiClient, query: Query, signal: AbortSignal): Promise<void> {
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const from = cursor === null ? {} : { cursor };
    const page = await client.get<DecisionPage>(
      'v1/decisions',
      { ...query, limit: PAGE, ...from },
      { signal },
    );
    signal.throwIfAborted();
    cursor = page.next_cursor;
    items.value = [...items.value, ...page.decisions].slice(0, ITEMS_MAX);
    hasOlder.value = cursor !== null && items.value.length < ITEMS_MAX;
    if (page.decisions.length > 0 || !hasOlder.value) return;
  }
}
