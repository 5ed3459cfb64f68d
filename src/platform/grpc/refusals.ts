import { constants, type ServerHttp2Stream } from 'node:http2';

/** For a client to take the last frames of a call that is over. */
export const CLOSE_MS = 1_000;

/** Drops the stream of an answered call that is not over in time, and calls `onUntaken` then. */
type BoundRefusal = (stream: ServerHttp2Stream, onUntaken: () => void) => void;

/**
 * Bounds the calls that were answered without their message and whose answers are not taken: each has a
 * second, and the oldest is dropped where there are `refusalsMax` of them.
 */
export function boundRefusals(refusalsMax: number): BoundRefusal {
  const waiting = new Set<() => void>();
  return (stream, onUntaken) => {
    const [oldest] = waiting;
    if (waiting.size >= refusalsMax) oldest?.();
    const forget = () => {
      clearTimeout(timer);
      waiting.delete(drop);
    };
    const drop = () => {
      forget();
      dropStream(stream, constants.NGHTTP2_CANCEL);
      onUntaken();
    };
    const timer = setTimeout(drop, CLOSE_MS).unref();
    waiting.add(drop);
    stream.once('close', forget);
  };
}

/** Resets `stream`, and frees what waits on it whether or not the client reads its socket. */
export function dropStream(stream: ServerHttp2Stream, code: number): void {
  stream.close(code);
  stream.destroy();
}
