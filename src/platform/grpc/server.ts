import { readFileSync } from 'node:fs';
import { createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { ACCEPT_MS, stopAccepting } from '../stop-accepting.ts';
import { type CallHandler, takeCall } from './call.ts';
import {
  CONNECTION_BOUNDS,
  type ConnectionBounds,
  type ConnectionTrouble,
  watchConnections,
} from './connections.ts';
import { createHealth, HEALTH_FILE } from './health.ts';
import { readProtoFile } from './proto-file.ts';
import { createReflection } from './reflection.ts';
import { boundRefusals } from './refusals.ts';
import { GRPC_STATUS } from './status.ts';
import { toUnaryHandler, type UnaryMethod } from './unary.ts';

/** What a gRPC server serves, and within which bounds. */
export interface GrpcServerOptions {
  /** The definition of the service, which imports nothing. */
  readonly protoFile: string;
  /** With its package. */
  readonly service: string;
  /** By name. */
  readonly methods: Readonly<Record<string, UnaryMethod>>;
  /** The largest message that is read. */
  readonly messageBytesMax: number;
  /** What health checks are told until the server drains. */
  readonly isServing: () => boolean;
  /** Called for every connection that is ended for what its client did, or for room. */
  readonly onTrouble: (trouble: ConnectionTrouble) => void;
  readonly bounds?: Partial<ConnectionBounds>;
  /** How long a call may last that is no watch. */
  readonly callMsMax?: number;
}

/**
 * A gRPC server (h2c) with one service of ours, the standard health service (grpc.health.v1) and reflection.
 */
export interface GrpcServer {
  /** Resolves to the port. Rejects with the system's error where it cannot be listened on. */
  listen(host: string, port: number): Promise<number>;
  /** Tells health checks that it is going; calls are answered all the same. */
  drain(): void;
  /** Takes no more connections, and finishes what is under way for at most `patienceMs`. Never rejects. */
  close(patienceMs: number): Promise<void>;
}

/** Of one connection: what a gateway sends beyond it waits there. */
const STREAMS_MAX = 1_000;
/**
 * Metadata of a call: Envoy sends some ten fields and perhaps a trace context and a key. All of them have 64
 * KiB, which is what the library under node:http2 holds to.
 */
const HEADER_FIELDS_MAX = 64;
/** Unless the service says how long its calls take. */
const CALL_MS_MAX = 15_000;
/** What calls on a connection that is going have beside their own time. */
const GRACE_MS = 5_000;
/** Calls of gateways that are open at once, on all connections. */
const CALLS_MAX = 8_192;

/** Refused calls whose answers are not taken, on all connections: some 10 KB each. */
const REFUSALS_MAX = 2_048;

/** Builds the server without listening. Throws when `protoFile` cannot be used or lacks a method. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { service, methods, isServing, onTrouble } = options;
  const file = readProtoFile(basename(options.protoFile), readFileSync(options.protoFile, 'utf8'));
  const health = createHealth([service], isServing);
  const handlers = new Map([...health.handlers, ...createReflection([file, HEALTH_FILE])]);
  const own = new Set<string>();
  for (const [name, method] of Object.entries(methods)) {
    const path = `/${service}/${name}`;
    const codec = file.methods.get(path);
    if (codec === undefined) throw new Error(`${path} is not defined`);
    handlers.set(path, toUnaryHandler(method, codec, options.messageBytesMax));
    own.add(path);
  }
  const server = createHttp2Server();
  const { callMsMax = CALL_MS_MAX } = options;
  // No call may outlast what its connection has left.
  const bounds = { ...CONNECTION_BOUNDS, graceMs: callMsMax + GRACE_MS, ...options.bounds };
  const connections = watchConnections(server, bounds, onTrouble);
  const counter = { calls: 0 };
  const boundRefusal = boundRefusals(REFUSALS_MAX);
  server.on('stream', (stream, headers, _flags, ...rest) => {
    const connection = connections.of(stream.session);
    // The types leave out the last argument: names and values in turn, as they came.
    const rawHeaders = (rest as unknown[])[0] as readonly string[];
    const find = (path: string) => {
      const handler = handlers.get(path);
      return handler !== undefined && own.has(path)
        ? proveBy(handler, counter, () => connection?.prove())
        : handler;
    };
    connection?.callBegan();
    stream.once('close', () => connection?.callEnded());
    takeCall(stream, headers, rawHeaders, {
      peerAddress: connection?.peerAddress,
      find,
      callMsMax,
      onAnswered: () => boundRefusal(stream, () => connection?.refusalUntaken()),
    });
  });
  return {
    listen: (host, port) => listen(server, host, port),
    drain: health.drain,
    close: async (patienceMs) => {
      health.drain();
      health.close();
      const untilMs = performance.now() + patienceMs;
      await stopAccepting(server, Math.min(ACCEPT_MS, patienceMs));
      await connections.close(Math.max(0, untilMs - performance.now()));
    },
  };
}

function createHttp2Server(): Http2Server {
  return createServer({
    maxHeaderListPairs: HEADER_FIELDS_MAX,
    settings: { maxConcurrentStreams: STREAMS_MAX, enablePush: false },
  });
}

/**
 * Calls `prove` once a call has passed the handler's checks of its head: its client is then an authenticated
 * gateway.
 */
function proveBy(handler: CallHandler, counter: { calls: number }, prove: () => void): CallHandler {
  return {
    ...handler,
    open: (call, reply) => {
      const sink = handler.open(call, reply);
      if (sink === null) return null;
      prove();
      if (counter.calls >= CALLS_MAX) {
        reply.end(GRPC_STATUS.unavailable);
        return null;
      }
      counter.calls += 1;
      return {
        ...sink,
        onClose: () => {
          counter.calls -= 1;
          sink.onClose?.();
        },
      };
    },
  };
}

function listen(server: Http2Server, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject);
  server.listen(port, host, () => {
    server.off('error', reject);
    // Such as EMFILE: the connection is not taken, and those there are stay.
    server.on('error', () => {});
    // It listens on a host and a port, and not on a pipe.
    resolve((server.address() as AddressInfo).port);
  });
  return promise;
}
