import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';

/** What a client of the gateway was answered. */
export interface ClientAnswer {
  readonly status: number;
  readonly headers: Readonly<IncomingMessage['headers']>;
  readonly text: string;
}

export interface ClientRequest {
  readonly method?: string;
  readonly path?: string;
  /** Names and values in turns: names may repeat. */
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
  /** Sends the body without its length. */
  readonly isChunked?: boolean;
}

const TIMEOUT_MS = 15_000;

/** Sends one request on a connection of its own, with the ids of a good user unless told otherwise. */
export async function browse(port: number, ask: ClientRequest = {}): Promise<ClientAnswer> {
  const { method = 'GET', path = '/shop', headers = GOOD_IDS, body, isChunked = false } = ask;
  const length = body === undefined || isChunked ? [] : ['Content-Length', String(Buffer.byteLength(body))];
  const chunked = isChunked ? ['Transfer-Encoding', 'chunked'] : [];
  const sent = request({
    host: '127.0.0.1',
    port,
    method,
    path,
    agent: false,
    timeout: TIMEOUT_MS,
    headers: ['Host', 'shop.example', ...headers, ...length, ...chunked],
  });
  sent.on('timeout', () => sent.destroy(new Error('the gateway does not answer')));
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    text: Buffer.concat(chunks).toString('utf8'),
  };
}

/** Header fields with the ids of one user. */
export const idsOf = (telemetryId: string, deviceId = 'active') => [
  'X-Telemetry-ID',
  telemetryId,
  'X-Device-ID',
  deviceId,
];
export const GOOD_IDS = idsOf('allow');

/** Announces a body, sends less of it, and goes away. */
export async function sendTruncated(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  const head = ['POST /shop HTTP/1.1', 'Host: shop.example', 'X-Telemetry-ID: allow', 'X-Device-ID: active'];
  socket.write(
    `${head.join('\r\n')}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"cut":`,
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.destroy();
}

/** Sends the text on a connection of its own, and gives the status; 0 where there is none. */
export async function sendText(port: number, text: string): Promise<number> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let received = '';
  socket.on('error', () => {});
  socket.on('data', (data: string) => {
    received += data;
    if (received.includes('\r\n\r\n')) socket.destroy();
  });
  socket.setTimeout(5_000, () => socket.destroy());
  socket.write(text);
  await once(socket, 'close');
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? 0);
}
