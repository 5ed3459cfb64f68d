import { once } from 'node:events';
import { connect } from 'node:net';

export interface RawAnswer {
  /** Of the first answer; 0 where there was none. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** The statuses of all answers on the connection, interim ones included. */
  readonly statuses: readonly number[];
}

/** Sends bytes to a port of loopback and reads until the server closes; null says that there are no more. */
export async function sendBytes(
  port: number,
  ...chunks: readonly (string | Buffer | null)[]
): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  // A reset after the answer is the server's way to refuse the rest.
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  for (const chunk of chunks) {
    if (chunk === null) socket.end();
    else socket.write(chunk);
  }
  await once(socket, 'close');
  const text = Buffer.concat(received).toString();
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  return { status: statuses[0] ?? 0, head, body: rest.join('\r\n\r\n'), statuses };
}

/** The text of a request: its lines, an empty one, and the body. */
export function requestOf(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
