import { constants, type ServerHttp2Stream } from 'node:http2';
import { toFrame } from './message-reader.ts';
import { CLOSE_MS, dropStream } from './refusals.ts';
import { GRPC_STATUS, type GrpcStatus } from './status.ts';

const HEADERS = {
  ':status': 200,
  'content-type': 'application/grpc',
  // Nothing compressed is taken, and nothing is compressed.
  'grpc-accept-encoding': 'identity',
} as const;

/** What a call may leave unread before it is dropped; beside it one message, and the kernel's own buffers. */
const UNREAD_BYTES_MAX = 64 * 1024;

/** What goes back on one call. Everything after the end, or after the client has gone, is dropped. */
export interface Reply {
  /** Sends one message of several. A call that reads too little of them is dropped. */
  send(message: Uint8Array): void;
  /** Sends the only message, and ends the call well. */
  answer(message: Uint8Array): void;
  /** Ends the call. `details` is ASCII without percent signs. */
  end(status: GrpcStatus, details?: string): void;
  /** Ends the call also where it does not read: what waits unread is dropped. `details` as above. */
  abort(status: GrpcStatus, details: string): void;
  /** True as well when the client has gone. */
  hasEnded(): boolean;
}

/** The reply on `stream`. A client that is still sending when it has its answer is told to stop. */
export function createReply(stream: ServerHttp2Stream): Reply {
  let isOpen = false;
  let trailers: Record<string, string | number> | null = null;
  const stopReading = () => {
    if (!stream.readableEnded && !stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
  };
  const open = () => {
    if (isOpen) return;
    isOpen = true;
    stream.respond(HEADERS, { waitForTrailers: true });
    stream.once('wantTrailers', () => {
      stream.sendTrailers(trailers ?? {});
      setImmediate(stopReading);
    });
  };
  const isGone = () => trailers !== null || stream.destroyed || stream.closed;
  // The code that clients know as RESOURCE_EXHAUSTED: trailers would come behind what is not read.
  const drop = () => dropStream(stream, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  const end = (status: GrpcStatus, details = '') => {
    if (isGone()) return;
    trailers = { 'grpc-status': status, ...(details !== '' && { 'grpc-message': details }) };
    const timer = setTimeout(() => dropStream(stream, constants.NGHTTP2_CANCEL), CLOSE_MS).unref();
    stream.once('close', () => clearTimeout(timer));
    if (isOpen) {
      stream.end();
      return;
    }
    stream.respond({ ...HEADERS, ...trailers }, { endStream: true });
    setImmediate(stopReading);
  };
  return {
    send: (message) => {
      if (isGone()) return;
      if (stream.writableLength > UNREAD_BYTES_MAX) {
        drop();
        return;
      }
      open();
      stream.write(toFrame(message));
    },
    answer: (message) => {
      if (isGone()) return;
      open();
      trailers = { 'grpc-status': GRPC_STATUS.ok };
      stream.end(toFrame(message));
    },
    end,
    abort: (status, details) => {
      if (stream.writableLength > 0) drop();
      else end(status, details);
    },
    hasEnded: isGone,
  };
}
