import { RiskgateFailure, toFailure } from './failure.ts';
import { refusal } from './read-answer.ts';
import type { CallOptions, ClientOptions } from './wire.ts';

const TIMEOUT_MS = 1500;
const ATTEMPTS = 3;
/** Of the time that is left, what the service may take: the answer has to come back too. */
const SERVICE_SHARE = 0.9;
/** What may come right at another try. */
const RETRIED_STATUSES: readonly number[] = [409, 429, 500, 502, 503, 504];
/** The pause before the second attempt, where the service says nothing; it doubles. */
const PAUSE_MS = 50;
/** Fifty decisions are some 100 kB. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;
const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;

/** One call, which may be sent several times. */
export interface Call {
  readonly path: string;
  readonly body: unknown;
  /** Whether it asks for decisions, which the service makes in the time that is left. */
  readonly asks: boolean;
  readonly options: CallOptions;
}

/**
 * Sends a call until it is answered with 200, within its time. Returns the parsed body; throws a
 * RiskgateFailure, and nothing else.
 */
export async function send(client: ClientOptions, call: Call): Promise<unknown> {
  const endsAt = now() + positive(call.options.timeoutMs ?? client.timeoutMs, TIMEOUT_MS);
  const attempts = positive(client.attempts, ATTEMPTS);
  const init = toInit(client, call);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sendOnce(client, call, init, endsAt);
    } catch (error) {
      const failure = toFailure(error);
      const pauseMs = failure.retryAfterMs ?? PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
      const isOver = attempt >= attempts || now() + pauseMs >= endsAt;
      if (isOver || !isRetried(failure)) throw failure;
      await pause(pauseMs, call.options.signal);
    }
  }
}

function isRetried({ kind, status }: RiskgateFailure): boolean {
  return kind === 'network' || (kind === 'refused' && status !== null && RETRIED_STATUSES.includes(status));
}

interface Init {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function toInit(client: ClientOptions, { body, asks, options }: Call): Init {
  const headers: Record<string, string> = {
    authorization: `Bearer ${client.apiKey}`,
    'content-type': 'application/json',
  };
  // The same for every attempt, so that one decision is made however often it is asked for.
  if (asks) headers['idempotency-key'] = JSON.stringify(options.idempotencyKey ?? crypto.randomUUID());
  const traceparent = options.traceparent ?? client.traceparent?.();
  if (traceparent !== undefined && TRACEPARENT.test(traceparent)) headers['traceparent'] = traceparent;
  return { headers, body: JSON.stringify(body) };
}

/** One attempt. Settles by its own timer: `fetch` may reject an aborted request late. */
async function sendOnce(client: ClientOptions, call: Call, init: Init, endsAt: number): Promise<unknown> {
  const leftMs = endsAt - now();
  const { signal } = call.options;
  const abort = new AbortController();
  const headers = call.asks
    ? { ...init.headers, 'x-request-deadline': String(Math.max(0, Math.floor(leftMs * SERVICE_SHARE))) }
    : init.headers;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort: (() => void) | undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new RiskgateFailure('timeout', 'No answer in time.')),
      Math.max(0, leftMs),
    );
    onAbort = () => reject(new RiskgateFailure('aborted', 'The call was ended.'));
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
  const work = exchange(client, call.path, { method: 'POST', ...init, headers, signal: abort.signal });
  // What is no longer waited for must not become an unhandled rejection.
  work.catch(() => {});
  try {
    return await Promise.race([work, ended]);
  } catch (error) {
    // What is over is left alone: to abort it could end the connection that it gives back.
    if (error instanceof RiskgateFailure && (error.kind === 'timeout' || error.kind === 'aborted'))
      abort.abort();
    throw error;
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }
}

async function exchange(client: ClientOptions, path: string, init: RequestInit): Promise<unknown> {
  const fetchIt = client.fetch ?? fetch;
  let response: Response;
  let text: string;
  try {
    // A redirect is no answer of the service, and would carry the key elsewhere.
    response = await fetchIt(`${client.url.replace(/\/+$/, '')}${path}`, { ...init, redirect: 'manual' });
    text = await readText(response);
  } catch (error) {
    if (error instanceof RiskgateFailure) throw error;
    throw new RiskgateFailure('network', 'The service could not be reached.', { cause: error });
  }
  const body = parse(text);
  if (response.status !== 200) throw refusal(response.status, body, retryAfterMs(response.headers));
  if (body === undefined) throw new RiskgateFailure('malformed', 'The answer is no JSON.');
  return body;
}

/** All of the body, so that the connection can be used again; a bounded part of what has no end. */
async function readText({ body }: Response): Promise<string> {
  if (body === null) return '';
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > BODY_BYTES_MAX) {
      void reader.cancel().catch(() => {});
      throw new RiskgateFailure('malformed', 'The answer is too large.');
    }
    text += decoder.decode(value, { stream: true });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A SyntaxError: pages of proxies are no JSON.
    return undefined;
  }
}

/** `Retry-After`, in seconds or as a date (RFC 9110). */
function retryAfterMs(headers: Headers): number | null {
  const field = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,6}$/.test(field)) return Number(field) * 1000;
  const at = field === '' ? Number.NaN : Date.parse(field);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(new RiskgateFailure('aborted', 'The call was ended.'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
}

function positive(value: number | undefined, otherwise: number): number {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : otherwise;
}

function now(): number {
  return performance.now();
}
