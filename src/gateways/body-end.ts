import type { IncomingMessage } from 'node:http';

/**
 * How long to wait for a body. A gateway that announces a body and sends none must not block the connection.
 */
const WAIT_MS = 250;

/** True when the request announces a body, whether or not it comes. */
export function announcesBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/**
 * Discards the body. Resolves when it ends, is cut short, or a quarter of a second has passed, with whether
 * it is complete. Only then may the connection be reused: otherwise the rest of the body could be read as the
 * next request.
 */
export function awaitBodyEnd(message: IncomingMessage): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const settle = () => {
    clearTimeout(timer);
    resolve(message.complete);
  };
  const timer = setTimeout(settle, WAIT_MS);
  message.once('end', settle);
  message.once('close', settle);
  message.on('error', settle);
  message.resume();
  return promise;
}
