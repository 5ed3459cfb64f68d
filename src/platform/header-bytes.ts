import type { IncomingMessage } from 'node:http';

/**
 * The bytes of a request's target and header fields, counted as node:http counts them for `maxHeaderSize`:
 * without the signs between them.
 */
export function countHeaderBytes({ url = '', rawHeaders }: IncomingMessage): number {
  let bytes = url.length;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}
