import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { type ApiClient, ApiError, type Query } from './api-client.ts';
import type { DecisionSummary, Gap } from './wire.ts';

/** How the stream of decisions stands. */
export type StreamState = 'connecting' | 'live' | 'lost';

interface StreamHandlers {
  /** New decisions, oldest first. */
  onDecision(decision: DecisionSummary): void;
  onGap(gap: Gap): void;
  /**
   * `resumed`: it goes on where it was lost; otherwise it begins now, and what came before is to be read
   * again.
   */
  onReady(resumed: boolean): void;
  onState(state: StreamState): void;
  /** The key is not taken any more, or lacks the scope; the stream has ended for good. */
  onRefused(error: ApiError): void;
}

/** The first pause before another try; it doubles with each that fails. */
const PAUSE_MS = 250;
const PAUSE_MS_MAX = 5_000;
/**
 * Without as much as a heartbeat for so long (they come every 15 s at the latest), the connection is dead.
 */
const SILENCE_MS_MAX = 35_000;

/**
 * Follows GET /v1/decisions/stream until `signal` ends it. It comes back by itself, after the last event it
 * has seen. EventSource cannot send the key in a header.
 */
export async function followDecisions(
  client: ApiClient,
  query: Query,
  handlers: StreamHandlers,
  signal: AbortSignal,
): Promise<void> {
  let lastId: string | null = null;
  let failures = 0;
  const onEvent = ({ id, event, data }: EventSourceMessage): void => {
    if (id !== undefined) lastId = id;
    // The service writes them as wire.ts says.
    if (event === 'decision') handlers.onDecision(JSON.parse(data) as DecisionSummary);
    else if (event === 'gap') handlers.onGap(JSON.parse(data) as Gap);
    else if (event === 'ready') {
      failures = 0;
      handlers.onState('live');
      handlers.onReady((JSON.parse(data) as { resumed: boolean }).resumed);
    }
  };
  const isEnded = () => signal.aborted;
  const hasBegun = () => lastId !== null;
  handlers.onState('connecting');
  while (!isEnded()) {
    let pauseMs = Math.min(PAUSE_MS * 2 ** failures, PAUSE_MS_MAX) * (0.75 + Math.random() / 2);
    try {
      await readOnce(client, query, lastId, onEvent, signal);
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        handlers.onRefused(error);
        return;
      }
      if (isEnded()) return;
      if (error instanceof ApiError && error.status === 400) {
        // A position that the service does not understand any more; or else a filter, which it never will.
        if (!hasBegun()) return handlers.onState('lost');
        lastId = null;
      }
      if (error instanceof ApiError) pauseMs = Math.max(pauseMs, error.retryAfterMs ?? 0);
    }
    if (isEnded()) return;
    handlers.onState('lost');
    await pause(pauseMs, signal);
    failures += 1;
  }
}

/** Reads one connection to its end. Rejects when it breaks. */
async function readOnce(
  client: ApiClient,
  query: Query,
  lastId: string | null,
  onEvent: (event: EventSourceMessage) => void,
  signal: AbortSignal,
): Promise<void> {
  const silence = new AbortController();
  const stop = AbortSignal.any([signal, silence.signal]);
  let timer = setTimeout(() => silence.abort(), SILENCE_MS_MAX);
  try {
    const headers = lastId === null ? {} : { 'last-event-id': lastId };
    const response = await client.open('v1/decisions/stream', query, { headers, signal: stop });
    if (response.body === null) return;
    const parser = createParser({ onEvent });
    // The types of the DOM and of Node differ about what a stream of text takes.
    const reader = response.body.pipeThrough(new TextDecoderStream() as never).getReader() as {
      read(): Promise<{ done: boolean; value?: string }>;
    };
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS_MAX);
      parser.feed(value ?? '');
    }
  } finally {
    clearTimeout(timer);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
