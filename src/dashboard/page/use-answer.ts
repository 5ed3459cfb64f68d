import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type ApiClient, ApiError, type Query } from './api-client.ts';
import { endSessionOn } from './session.ts';

/** How the reading of an answer stands. `unknown`: the service says that there is no such thing. */
export type Reading<Answer> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'ready'; readonly answer: Answer };

const LOADING = { kind: 'loading' } as const;

/**
 * Asks for `path` at once and then every `intervalMs`, while the page can be seen. A later failure leaves the answer
 * that was there.
 */
export function useAnswer<Answer>(
  client: ApiClient,
  path: string,
  query: Query,
  intervalMs: number,
): Signal<Reading<Answer>> {
  const reading = useSignal<Reading<Answer>>(LOADING);
  const queryText = JSON.stringify(query);
  useEffect(() => {
    const ending = new AbortController();
    reading.value = LOADING;
    const ask = async (): Promise<void> => {
      try {
        const options = { signal: ending.signal, cache: 'no-cache' } as const;
        reading.value = { kind: 'ready', answer: await client.get<Answer>(path, query, options) };
      } catch (error) {
        if (ending.signal.aborted) return;
        if (reading.value.kind !== 'ready') reading.value = toFailure(error);
        endSessionOn(error);
      }
    };
    void ask();
    const timer = setInterval(() => document.hidden || void ask(), intervalMs);
    return () => {
      ending.abort();
      clearInterval(timer);
    };
    // What is asked depends on the query's content, not on its identity.
  }, [client, path, queryText, intervalMs]);
  return reading;
}

function toFailure(error: unknown): Reading<never> {
  if (error instanceof ApiError && error.status === 404) return { kind: 'unknown' };
  return { kind: 'failed', why: error instanceof Error ? error.message : 'no answer' };
}
