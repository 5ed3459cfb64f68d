import type { Socket } from 'node:net';
import type { OperationObserver } from '../application/operation-observer.ts';
import { STATUS_CODES } from '../platform/http-names.ts';
import { toProblem } from './schemas/problem.ts';

/** More bytes, or more fields, than the parser is set to take. */
const HEADER_OVERFLOW = 'HPE_HEADER_OVERFLOW';

/**
 * How long a client may go on sending after the answer. Were its connection ended at once, its system might
 * drop the answer unread.
 */
const LINGER_MS = 2_000;
const answered = new WeakSet<Socket>();

/** What is known of a request that could not be parsed. */
interface BrokenRequest {
  /**
   * The bytes that could not be parsed, and those before them in the same read; undefined where there were
   * none.
   */
  readonly packet: Uint8Array | undefined;
  readonly socket: Socket;
  /** The request is valid except for its size. */
  readonly isTooLarge: boolean;
}

interface BrokenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An entry point beside the API, whose requests may be broken as well. */
export interface BrokenRequestAnswers {
  /**
   * The answer to a request that node:http could not parse; null where nothing shows that it is for this one.
   */
  answerBroken(broken: BrokenRequest): BrokenAnswer | null;
  /** Headers of the answer to a request that could not be parsed. */
  readonly brokenHeaders: Readonly<Record<string, string>>;
}

interface BrokenRequestOptions {
  readonly gateways: BrokenRequestAnswers;
  readonly newId: () => string;
  readonly observer: Pick<OperationObserver, 'onRefusal'>;
}

/** What node:http could not parse never reaches a route. The answer is written by hand. */
export function answerBrokenRequest(
  error: Error & { readonly code?: string },
  socket: Socket,
  { gateways, newId, observer }: BrokenRequestOptions,
): void {
  // Bytes that arrive after the answer are discarded.
  if (answered.has(socket)) return;
  // ECONNRESET: the client is gone.
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const requestId = newId();
  // The bytes that could not be parsed, and those before them in the same read; a timeout has none.
  const packet: unknown = Reflect.get(error, 'rawPacket');
  const isTooLarge = error.code === HEADER_OVERFLOW;
  const answer = gateways.answerBroken({
    packet: packet instanceof Uint8Array ? packet : undefined,
    socket,
    isTooLarge,
  });
  if (answer === null) observer.onRefusal({ code: isTooLarge ? 'headers_too_large' : 'invalid_request' });
  const { status, headers, body } = answer ?? toBrokenProblem(error.code, requestId, gateways);
  const fields = {
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': requestId,
    connection: 'close',
  };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  answered.add(socket);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head.join('\r\n')}\r\n\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => clearTimeout(timer));
}

function toBrokenProblem(
  code: string | undefined,
  requestId: string,
  { brokenHeaders }: BrokenRequestAnswers,
): BrokenAnswer {
  const headers = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...brokenHeaders,
  };
  if (code === HEADER_OVERFLOW) {
    const problem = toProblem('headers_too_large', requestId);
    return { status: problem.status, headers, body: JSON.stringify(problem) };
  }
  const status = code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const title = STATUS_CODES[status] ?? 'Bad Request';
  const problem = { type: 'about:blank', title, status, code: 'invalid_request', request_id: requestId };
  return { status, headers, body: JSON.stringify(problem) };
}
