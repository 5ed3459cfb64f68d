import { type ClientHttp2Session, type ClientSessionOptions, connect, type SessionOptions } from 'node:http2';
import type { Test } from 'tap';

/** How one call ended. */
export interface RawReply {
  readonly httpStatus: number | undefined;
  /**
   * Of the trailers, or of the headers where there is nothing else; undefined where the stream was ended
   * without.
   */
  readonly status: number | undefined;
  readonly acceptEncoding: string | undefined;
  readonly bytes: Buffer;
  /** The code of RST_STREAM. */
  readonly resetCode: number | undefined;
}

export interface RawCall {
  readonly reply: Promise<RawReply>;
  /** Resolves with the headers of the answer. */
  readonly headed: Promise<void>;
  /** Resolves with the first bytes of the body. */
  readonly began: Promise<void>;
  write(bytes: Uint8Array): void;
  end(bytes?: Uint8Array): void;
  reset(): void;
}

/** A client that can do what no gRPC library would. */
export interface RawClient {
  readonly session: ClientHttp2Session;
  readonly closed: Promise<void>;
  /** The code of the last GOAWAY; null without one. */
  goawayCode(): number | null;
  call(path: string, headers?: Readonly<Record<string, string>>): RawCall;
}

/** Connects to a gRPC server on loopback. It closes with the test. */
export function connectRaw(
  t: Pick<Test, 'teardown'>,
  port: number,
  options: SessionOptions & ClientSessionOptions = {},
): RawClient {
  const session = connect(`http://127.0.0.1:${port}`, options);
  // What the server does to the connection is what is tested.
  session.on('error', () => {});
  t.teardown(() => session.destroy());
  let goawayCode: number | null = null;
  session.on('goaway', (code) => {
    goawayCode = code;
  });
  return {
    session,
    closed: new Promise((resolve) => session.once('close', resolve)),
    goawayCode: () => goawayCode,
    call: (path, headers = {}) => call(session, path, headers),
  };
}

function call(session: ClientHttp2Session, path: string, headers: Readonly<Record<string, string>>): RawCall {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const { promise: reply, resolve } = Promise.withResolvers<RawReply>();
  const { promise: began, resolve: begin } = Promise.withResolvers<void>();
  const { promise: headed, resolve: head } = Promise.withResolvers<void>();
  stream.once('response', () => head());
  const chunks: Buffer[] = [];
  let seen: Record<string, unknown> = {};
  const note = (fields: object) => {
    seen = { ...seen, ...fields };
  };
  stream.on('response', note);
  stream.on('trailers', note);
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    begin();
  });
  stream.on('error', () => {});
  stream.once('close', () =>
    resolve({
      httpStatus: toNumber(seen[':status']),
      status: toNumber(seen['grpc-status']),
      acceptEncoding: seen['grpc-accept-encoding'] as string | undefined,
      bytes: Buffer.concat(chunks),
      resetCode: stream.rstCode,
    }),
  );
  return {
    reply,
    headed,
    began,
    write: (bytes) => void stream.write(bytes),
    end: (bytes) => void (bytes === undefined ? stream.end() : stream.end(bytes)),
    reset: () => stream.close(8),
  };
}

function toNumber(field: unknown): number | undefined {
  return field === undefined ? undefined : Number(field);
}

/** A message with its prefix. `length` is what the prefix says. */
export function toRawFrame(message: Uint8Array, { flag = 0, length = message.length } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}
