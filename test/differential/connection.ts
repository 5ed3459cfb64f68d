import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { HttpStep } from './generated-requests.ts';

/** An answer as it came over the wire. */
export interface WireAnswer {
  /** The status line and the header lines, in their order and spelling. */
  readonly head: readonly string[];
  readonly body: string;
}

/** A connection that is kept while the server keeps it, for one request after the other. */
export interface Connection {
  /** Sends the requests as one piece, so that all arrive before any is answered. */
  send(steps: readonly HttpStep[]): Promise<readonly WireAnswer[]>;
  close(): void;
}

/** Opens a connection to a port of loopback; a new one in its place where the server has ended it. */
export function openConnection(port: number): Connection {
  let socket: Socket | null = null;
  return {
    send: async (steps) => {
      if (socket === null || socket.destroyed || socket.readableEnded) {
        socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        await once(socket, 'connect');
      }
      socket.write(Buffer.concat(steps.map(toBytes)));
      const answers = await readAnswers(socket, steps.length);
      if (answers.at(-1)?.head.some((line) => /^connection: close$/i.test(line))) socket.destroy();
      return answers;
    },
    close: () => socket?.destroy(),
  };
}

function toBytes({ method, target, headers, body }: HttpStep): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: riskgate'];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  const bytes = Buffer.from(body ?? '');
  if (body !== null) lines.push(`Content-Length: ${bytes.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

async function readAnswers(socket: Socket, count: number): Promise<readonly WireAnswer[]> {
  let received: Buffer = Buffer.alloc(0);
  const answers: WireAnswer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<readonly WireAnswer[]>();
  const onData = (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (let next = firstAnswer(received); next !== null; next = firstAnswer(received)) {
      answers.push(next.answer);
      received = received.subarray(next.length);
    }
    if (answers.length === count) resolve(answers);
  };
  const onClose = () => reject(new Error('the connection ended before its answer'));
  socket.on('data', onData).on('close', onClose);
  try {
    return await promise;
  } finally {
    socket.off('data', onData).off('close', onClose);
  }
}

/** The first answer and its length; null while it is not complete. Every answer here says its length. */
function firstAnswer(received: Buffer): { readonly answer: WireAnswer; readonly length: number } | null {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = received.subarray(0, headEnd).toString('latin1').split('\r\n');
  const field = head.find((line) => /^content-length:/i.test(line));
  const end = headEnd + 4 + Number(field?.slice('content-length:'.length) ?? 0);
  if (received.length < end) return null;
  return { answer: { head, body: received.subarray(headEnd + 4, end).toString() }, length: end };
}
