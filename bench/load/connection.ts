import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface LoadResponse {
  /** 200 also for OK in gRPC. */
  readonly status: number;
  /** The whole message, over HTTP head included. */
  readonly message: Buffer;
}

/** A client that sends one request at a time. */
export interface LoadClient {
  /** Calls back once, with the response or the error. */
  send(request: Buffer, settle: (response: LoadResponse | Error) => void): void;
  close(): void;
}

const HEAD_END = '\r\n\r\n';

/**
 * One keep-alive connection with one request at a time. Understands responses with a Content-Length, which is
 * all that the servers here send.
 */
export class LoadConnection implements LoadClient {
  readonly #socket: Socket;
  #pending: Buffer | null = null;
  #settle: ((response: LoadResponse | Error) => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', (error) => this.#finish(error));
    socket.on('close', () => this.#finish(new Error('the connection was closed')));
  }

  static async open(port: number): Promise<LoadConnection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new LoadConnection(socket);
  }

  send(request: Buffer, settle: (response: LoadResponse | Error) => void): void {
    this.#settle = settle;
    if (this.#socket.writable) this.#socket.write(request);
    else this.#finish(new Error('the connection was closed'));
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const message = this.#pending === null ? chunk : Buffer.concat([this.#pending, chunk]);
    const headEnd = message.indexOf(HEAD_END);
    const head = headEnd === -1 ? '' : message.toString('latin1', 0, headEnd);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (headEnd !== -1 && length === undefined) {
      this.#finish(new Error('a response without Content-Length'));
    } else if (headEnd === -1 || message.length < headEnd + HEAD_END.length + Number(length)) {
      this.#pending = message;
    } else {
      this.#pending = null;
      this.#finish({ status: Number(head.slice(9, 12)), message });
    }
  }

  #finish(response: LoadResponse | Error): void {
    const settle = this.#settle;
    this.#settle = null;
    settle?.(response);
  }
}
