/**
 * A flag byte and four bytes of length stand before every message (gRPC over HTTP/2,
 * "Length-Prefixed-Message").
 */
const PREFIX_BYTES = 5;

/** What a call is ended for before its message is held or parsed. */
type MessageRefusal = 'compressed' | 'oversized';

/** Puts messages together from the pieces that they come in. */
export interface MessageReader {
  /**
   * Hands on every message that is whole now; stops at the first that is refused, and takes nothing after it.
   */
  push(chunk: Uint8Array): MessageRefusal | null;
  /** True within a message. */
  isPartial(): boolean;
}

/**
 * Reads the messages of one call. Holds at most one of them, of at most `bytesMax` bytes, whatever its sender
 * announces, and copies every byte once.
 */
export function createMessageReader(bytesMax: number, onMessage: (bytes: Uint8Array) => void): MessageReader {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  let prefixBytes = 0;
  let message: Buffer | null = null;
  let messageBytes = 0;
  const readPrefix = (chunk: Uint8Array): number => {
    const part = chunk.subarray(0, PREFIX_BYTES - prefixBytes);
    prefix.set(part, prefixBytes);
    prefixBytes += part.length;
    return part.length;
  };
  const begin = (): MessageRefusal | null => {
    if (prefix[0] !== 0) return 'compressed';
    const length = prefix.readUInt32BE(1);
    if (length > bytesMax) return 'oversized';
    message = Buffer.allocUnsafe(length);
    messageBytes = 0;
    return null;
  };
  const readMessage = (chunk: Uint8Array, into: Buffer): number => {
    const part = chunk.subarray(0, into.length - messageBytes);
    into.set(part, messageBytes);
    messageBytes += part.length;
    if (messageBytes === into.length) {
      message = null;
      prefixBytes = 0;
      onMessage(into);
    }
    return part.length;
  };
  return {
    push: (chunk) => {
      let rest = chunk;
      while (rest.length > 0) {
        rest = rest.subarray(readPrefix(rest));
        if (prefixBytes < PREFIX_BYTES) return null;
        const refusal = message === null ? begin() : null;
        if (refusal !== null) return refusal;
        if (message !== null) rest = rest.subarray(readMessage(rest, message));
      }
      return null;
    },
    isPartial: () => prefixBytes > 0,
  };
}

/** A message as it goes over the wire, never compressed. */
export function toFrame(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}
