import type { IncomingMessage } from 'node:http';

/** Time for a body that is on its way. A gateway that announces one and sends none must not hang on us. */
const WAIT_MS = 250;

/** True when the request announces a body, whether or not it comes. */
export function announcesBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** Throws the body away, and resolves when it has ended, is cut short, or a quarter of a second has passed. Resolves with whether it is complete: only then may the connection be used again, lest the rest of it, or the next request in its place, be taken for something else. */
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
