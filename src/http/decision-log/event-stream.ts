import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Bytes that may wait for one client before it is given up: some 200 decisions, beside what the kernel holds
 * for it.
 */
const BUFFER_BYTES_MAX = 256 * 1024;
/** Above it, a client that catches up is waited for. */
const BUFFER_BYTES_FULL = 64 * 1024;
/** How long a client may take to make room while it catches up, and to read the last event. */
const PATIENCE_MS = 10_000;
/** When a browser's EventSource reconnects. */
const RETRY_MS = 2_000;

/** One answer of server-sent events (WHATWG HTML, section 9.2). What waits in it is bounded. */
export interface EventStream {
  /** Writes events; see toFrame. False when the client is too slow, and should be told so and left. */
  write(frames: string): boolean;
  /**
   * Resolves when more can be written without much waiting in memory; false when the client is gone or takes
   * too long.
   */
  hasRoom(): Promise<boolean>;
  /** Writes the last event and closes; a client that does not read it is cut off after a while. */
  end(frame: string): void;
}

/** Begins the answer. `onClose` is called once it is over, whichever side ended it. */
export function openEventStream(
  raw: ServerResponse,
  headers: Readonly<Record<string, string | number | string[] | undefined>>,
  onClose: () => void,
): EventStream {
  // A client that left while the log was read for it has closed already.
  if (raw.destroyed) onClose();
  else raw.once('close', onClose);
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    // nginx would hold events back until its buffer is full.
    'x-accel-buffering': 'no',
  });
  raw.write(`retry: ${RETRY_MS}\n\n`);
  const isOpen = () => !raw.writableEnded && !raw.destroyed;
  return {
    write: (frames) => {
      if (isOpen()) raw.write(frames);
      return raw.writableLength <= BUFFER_BYTES_MAX;
    },
    hasRoom: async () => {
      // Everything that is written in one turn of the event loop is sent at its end.
      await nextTurn();
      if (raw.writableLength <= BUFFER_BYTES_FULL) return isOpen();
      return (await drainOf(raw)) && isOpen();
    },
    end: (frame) => {
      if (!isOpen()) return;
      raw.end(frame);
      const cut = setTimeout(() => raw.destroy(), PATIENCE_MS);
      raw.once('close', () => clearTimeout(cut));
    },
  };
}

function drainOf(raw: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (hasDrained: boolean) => {
      clearTimeout(timer);
      raw.off('drain', onDrain);
      raw.off('close', onClose);
      resolve(hasDrained);
    };
    const onDrain = () => settle(true);
    const onClose = () => settle(false);
    const timer = setTimeout(settle, PATIENCE_MS, false);
    raw.once('drain', onDrain);
    raw.once('close', onClose);
  });
}

/**
 * One event as it is sent. `data` is JSON, which has no line breaks. Without an id the client keeps the one
 * it has.
 */
export function toFrame(event: string, data: string, id: string | null): string {
  return `${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
}
