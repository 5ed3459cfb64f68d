import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { createMessageReader, type MessageReader } from './message-reader.ts';
import { CLOSE_MS, dropStream } from './refusals.ts';
import { createReply, type Reply } from './reply.ts';
import { GRPC_STATUS } from './status.ts';

/** What a call brings beside its message. */
export interface GrpcCall {
  /** Its metadata by lower-case name; binary entries are left out. */
  readonly metadata: Readonly<Record<string, readonly string[]>>;
  /** The IP address at the other end of the connection. */
  readonly peerAddress: string | undefined;
  /** Milliseconds until the caller gives up, never negative; null when it does not say. */
  readonly deadlineMs: number | null;
}

/** Takes what comes on one call. */
interface MessageSink {
  onMessage(bytes: Uint8Array): void;
  /** A message that is too large: nothing of it is held, and nothing comes after it. */
  onOversized(): void;
  /** The client has sent everything. */
  onEnd(): void;
  /** However the call ended. */
  onClose?(): void;
}

/** One method of a service, from its metadata on. */
export interface CallHandler {
  readonly messageBytesMax: number;
  /** Whether a call may last for as long as its connection. */
  readonly isLasting: boolean;
  /** Called before anything of a message is read. Null where the call is answered by its metadata alone. */
  open(call: GrpcCall, reply: Reply): MessageSink | null;
}

const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** What calls are taken by. */
interface CallTaking {
  /** Of the connection. */
  readonly peerAddress: string | undefined;
  /** Knows the methods by path. */
  readonly find: (path: string) => CallHandler | undefined;
  /** A call that is not over by then is ended: its message does not come, or its answer is not taken. */
  readonly callMsMax: number;
  /** Called with every call that is answered by its metadata alone. */
  readonly onAnswered: (stream: ServerHttp2Stream) => void;
}

/** Answers one stream. */
export function takeCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  taking: CallTaking,
): void {
  // A client that goes away in the middle is no event.
  stream.on('error', () => {});
  if (!isGrpc(headers)) {
    stream.respond({ ':status': 415 }, { endStream: true });
    setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
    taking.onAnswered(stream);
    return;
  }
  if (!openCall(stream, headers, rawHeaders, taking)) taking.onAnswered(stream);
}

/** False where the call is answered by its metadata alone. */
function openCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  { peerAddress, find, callMsMax }: CallTaking,
): boolean {
  const reply = createReply(stream);
  const handler = find(headers[':path'] ?? '');
  if (handler === undefined) {
    reply.end(GRPC_STATUS.unimplemented, 'unknown method');
    return false;
  }
  const deadlineMs = toDeadlineMs(headers['grpc-timeout']);
  if (deadlineMs === undefined) {
    reply.end(GRPC_STATUS.invalidArgument, 'grpc-timeout cannot be read');
    return false;
  }
  if ((headers['grpc-encoding'] ?? 'identity') !== 'identity') {
    reply.end(GRPC_STATUS.unimplemented, 'compression is not supported');
    return false;
  }
  const sink = handler.open({ metadata: toMetadata(rawHeaders), peerAddress, deadlineMs }, reply);
  if (sink === null) return false;
  endInTime(stream, reply, handler.isLasting ? deadlineMs : Math.min(deadlineMs ?? callMsMax, callMsMax));
  feed(stream, reply, sink, handler.messageBytesMax);
  return true;
}

function feed(stream: ServerHttp2Stream, reply: Reply, sink: MessageSink, messageBytesMax: number): void {
  const reader: MessageReader = createMessageReader(messageBytesMax, (bytes) => {
    if (!reply.hasEnded()) sink.onMessage(bytes);
  });
  stream.on('data', (chunk: Uint8Array) => {
    if (reply.hasEnded()) return;
    const refusal = reader.push(chunk);
    if (refusal === 'compressed') reply.end(GRPC_STATUS.unimplemented, 'compression is not supported');
    else if (refusal === 'oversized') sink.onOversized();
  });
  stream.once('end', () => {
    if (reply.hasEnded()) return;
    if (reader.isPartial()) reply.end(GRPC_STATUS.invalidArgument, 'the message is cut short');
    else sink.onEnd();
  });
  stream.once('close', () => sink.onClose?.());
}

/** Ends the call when its time is over, and its stream when even that is not taken. */
function endInTime(stream: ServerHttp2Stream, reply: Reply, afterMs: number | null): void {
  if (afterMs === null) return;
  let timer = setTimeout(() => {
    reply.end(GRPC_STATUS.deadlineExceeded);
    // An answer that was given, and is not taken.
    timer = setTimeout(() => dropStream(stream, constants.NGHTTP2_CANCEL), CLOSE_MS);
  }, afterMs);
  stream.once('close', () => clearTimeout(timer));
}

function isGrpc(headers: IncomingHttpHeaders): boolean {
  return (
    headers[':method'] === 'POST' &&
    /^application\/grpc(?:\+proto)?(?:;|$)/i.test(headers['content-type'] ?? '')
  );
}

/** Null without a timeout, undefined for one that cannot be read. */
function toDeadlineMs(timeout: string | string[] | undefined): number | null | undefined {
  if (timeout === undefined) return null;
  const [, amount, unit = ''] = TIMEOUT.exec(String(timeout)) ?? [];
  const unitMs = UNIT_MS[unit];
  return unitMs === undefined ? undefined : Math.min(Number(amount) * unitMs, 2 ** 31 - 1);
}

/** Fields that are sent twice stay two, so that no proof has two readings. */
function toMetadata(rawHeaders: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const metadata: Record<string, string[]> = Object.create(null);
  for (let place = 0; place + 1 < rawHeaders.length; place += 2) {
    const name = (rawHeaders[place] ?? '').toLowerCase();
    if (name.startsWith(':') || name.endsWith('-bin')) continue;
    const values = metadata[name] ?? [];
    metadata[name] = values;
    values.push(rawHeaders[place + 1] ?? '');
  }
  return metadata;
}
