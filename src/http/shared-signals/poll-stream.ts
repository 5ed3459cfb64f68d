import type { Logger } from 'pino';
import type { HttpClient } from '../../platform/http-client.ts';
import type { ReceiveSet, SharedSignalStream } from './receive-set.ts';

interface PollOptions {
  readonly stream: SharedSignalStream;
  /** Of the transmitter's polling endpoint (RFC 8936). */
  readonly url: URL;
  /** To the origin of the URL. */
  readonly client: Pick<HttpClient, 'exchange'>;
  /** A bearer token; null sends none. */
  readonly token: string | null;
  readonly intervalMs: number;
  readonly receive: ReceiveSet;
  readonly logger: Logger;
}

/** What the next poll says of tokens that came with those before. */
interface Told {
  readonly ack: string[];
  readonly setErrs: Record<string, { readonly err: string; readonly description: string }>;
}

const EVENTS_MAX = 50;
const BUDGET_MS = 10_000;
/** A transmitter that fails is asked after twice the time, up to this. */
const BACKOFF_MS_MAX = 300_000;

/**
 * Polls a transmitter for tokens until it is stopped. What is not taken is not acknowledged, so that it comes
 * again; what was, is told with the next poll.
 */
export function pollStream(options: PollOptions): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const work = run(options, stopped.signal);
  return {
    stop: async () => {
      stopped.abort();
      await work;
    },
  };
}

async function run(options: PollOptions, stopped: AbortSignal): Promise<void> {
  const { stream, intervalMs, logger } = options;
  let told: Told = { ack: [], setErrs: {} };
  let failures = 0;
  while (!stopped.aborted) {
    const polled = await poll(options, told);
    if (typeof polled === 'string') {
      failures += 1;
      if (failures === 1)
        logger.warn(
          { event: 'shared_signals.poll_failed', stream: stream.name, why: polled },
          'a transmitter of shared signals cannot be polled',
        );
    } else {
      if (failures > 0) logger.info({ event: 'shared_signals.poll_recovered', stream: stream.name });
      failures = 0;
      told = await receiveAll(options, polled.sets);
      const isMore = polled.isMore && (told.ack.length > 0 || Object.keys(told.setErrs).length > 0);
      if (isMore) continue;
    }
    const waitMs = Math.min(intervalMs * 2 ** Math.min(failures, 16), Math.max(intervalMs, BACKOFF_MS_MAX));
    await sleep(waitMs, stopped);
  }
}

interface Polled {
  readonly sets: readonly (readonly [string, string])[];
  readonly isMore: boolean;
}

/** Why it failed, where it did. */
async function poll({ url, client, token }: PollOptions, { ack, setErrs }: Told): Promise<Polled | string> {
  const result = await client.exchange(
    {
      method: 'POST',
      path: `${url.pathname}${url.search}`,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({
        maxEvents: EVENTS_MAX,
        returnImmediately: true,
        ...(ack.length > 0 && { ack }),
        ...(Object.keys(setErrs).length > 0 && { setErrs }),
      }),
    },
    BUDGET_MS,
  );
  if (result.kind !== 'response') return result.kind;
  const { status, body } = result.response;
  return status === 200 ? readPolled(body) : `status ${status}`;
}

function readPolled(body: string | null): Polled | string {
  let value: unknown;
  try {
    value = JSON.parse(body ?? '');
  } catch {
    // A SyntaxError: it is no JSON.
    return 'no JSON';
  }
  const sets: unknown = Reflect.get(Object(value), 'sets');
  if (typeof sets !== 'object' || sets === null || Array.isArray(sets)) return 'no sets';
  const tokens = Object.entries(sets).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return { sets: tokens.slice(0, EVENTS_MAX), isMore: Reflect.get(Object(value), 'moreAvailable') === true };
}

async function receiveAll({ stream, receive }: PollOptions, sets: Polled['sets']): Promise<Told> {
  const told: Told = { ack: [], setErrs: {} };
  for (const [jti, token] of sets) {
    const reception = await receive(stream, { token, caller: null, requestId: null });
    if (reception.kind === 'later') continue;
    if (reception.kind === 'refused')
      told.setErrs[jti] = { err: reception.err, description: reception.description };
    else told.ack.push(jti);
  }
  return told;
}

function sleep(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms).unref();
    stopped.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
    if (stopped.aborted) resolve();
  });
}
