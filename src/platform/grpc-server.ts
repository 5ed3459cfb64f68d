import { setTimeout as delay } from 'node:timers/promises';
import {
  logVerbosity,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  setLogVerbosity,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';

/** What the last answers take to leave the process. */
const FLUSH_MS = 100;
/** How often health checks learn of what has changed: they ask every few seconds. */
const LOOK_MS = 500;

/** What a call brings beside its message. */
export interface GrpcCall {
  /** Its metadata by lower-case name; binary entries are left out. */
  readonly metadata: Readonly<Record<string, readonly string[]>>;
  /** The IP address at the other end of the connection. */
  readonly peerAddress: string | undefined;
  /** Milliseconds until the caller gives up, never negative; null when it does not say. */
  readonly deadlineMs: number | null;
}

/** Answers one message; null is an UNAVAILABLE without details. Must not throw or reject: that would be an INTERNAL without details. */
export type GrpcMethod = (request: unknown, call: GrpcCall) => unknown;

export interface GrpcServerOptions {
  /** The definition of the service, with everything it imports but google/protobuf. */
  readonly protoFile: string;
  /** With its package. */
  readonly service: string;
  /** By name; all of them take one message and answer one. */
  readonly methods: Readonly<Record<string, GrpcMethod>>;
  /** What health checks are told until the server drains. */
  readonly isServing: () => boolean;
}

/** A gRPC server with one service of ours, the standard health service (grpc.health.v1) and reflection. */
export interface GrpcServer {
  /** Resolves to the port. Rejects where it cannot be listened on. */
  listen(host: string, port: number): Promise<number>;
  /** Tells health checks that it is going; calls are answered all the same. */
  drain(): void;
  /** Takes no more calls, and finishes what is under way for at most `patienceMs`. Never rejects. */
  close(patienceMs: number): Promise<void>;
}

/** Builds the server without listening. Throws when `protoFile` cannot be used or lacks the service. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  // The library writes to standard error by itself, and not as log lines.
  setLogVerbosity(logVerbosity.NONE);
  const definition = loadSync(options.protoFile, { keepCase: true, enums: String });
  const service = definition[options.service];
  if (service === undefined || !isService(service)) throw new Error(`${options.service} is not defined`);
  // No bound on the calls of a connection: a client that meets one waits in silence instead of being refused.
  const server = new Server();
  const calls = createCallCount();
  const implementation: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries(options.methods)) implementation[name] = toUnary(method, calls);
  server.addService(service, implementation);
  const health = followHealth(server, options);
  new ReflectionService(definition).addToServer(server);
  return {
    listen: (host, port) => listen(server, host, port),
    drain: health.end,
    close: (patienceMs) => {
      health.end();
      return close(server, calls, patienceMs);
    },
  };
}

/** Tells those who watch of changes only. `end` says that nothing is served from now on. */
function followHealth(
  server: Server,
  { service, isServing }: Pick<GrpcServerOptions, 'service' | 'isServing'>,
): { end(): void } {
  const toStatus = (is: boolean) => (is ? 'SERVING' : 'NOT_SERVING');
  let told = isServing();
  const health = new HealthImplementation({ '': toStatus(told), [service]: toStatus(told) });
  health.addToServer(server);
  const tell = (is: boolean) => {
    if (is === told) return;
    told = is;
    for (const name of ['', service]) health.setStatus(name, toStatus(is));
  };
  const timer = setInterval(() => tell(isServing()), LOOK_MS).unref();
  return {
    end: () => {
      clearInterval(timer);
      tell(false);
    },
  };
}

type Definition = ReturnType<typeof loadSync>[string];

/** Of messages and enumerations a package definition has a `format`. */
function isService(definition: Definition): definition is Exclude<Definition, { format: string }> {
  return !('format' in definition);
}

function listen(server: Server, host: string, port: number): Promise<number> {
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(authority, ServerCredentials.createInsecure(), (error, bound) => {
    if (error === null) resolve(bound);
    else reject(Object.assign(new Error('cannot listen'), { code: toSystemCode(error) }));
  });
  return promise;
}

/** The library names the system's error in its text alone. */
function toSystemCode({ message }: Error): string {
  return /\bE[A-Z]{3,}\b/.exec(message)?.[0] ?? 'EADDRNOTAVAIL';
}

/** Those who watch health or reflection hold their streams open for ever: only calls of ours are waited for. */
async function close(server: Server, calls: CallCount, patienceMs: number): Promise<void> {
  const { promise: allGone, resolve } = Promise.withResolvers<void>();
  server.tryShutdown(() => resolve());
  await Promise.race([
    calls.none().then(() => delay(FLUSH_MS)),
    allGone,
    delay(patienceMs, null, { ref: false }),
  ]);
  server.forceShutdown();
}

/** Calls of ours that are under way. */
interface CallCount {
  enter(): void;
  leave(): void;
  /** Resolves when there are none. */
  none(): Promise<void>;
}

function createCallCount(): CallCount {
  let count = 0;
  let onNone = () => {};
  return {
    enter: () => {
      count += 1;
    },
    leave: () => {
      count -= 1;
      if (count === 0) onNone();
    },
    none: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      onNone = resolve;
      if (count > 0) await promise;
    },
  };
}

function toUnary(method: GrpcMethod, calls: CallCount) {
  return (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>): void => {
    calls.enter();
    const end: sendUnaryData<unknown> = (error, response) => {
      calls.leave();
      callback(error, response);
    };
    const answer = (response: unknown) => {
      if (response === null) end({ code: status.UNAVAILABLE, details: '' });
      else end(null, response);
    };
    const fail = () => end({ code: status.INTERNAL, details: '' });
    let response: unknown;
    try {
      response = method(call.request, toCall(call));
    } catch {
      fail();
      return;
    }
    if (response instanceof Promise) response.then(answer, fail);
    else answer(response);
  };
}

function toCall(call: ServerUnaryCall<unknown, unknown>): GrpcCall {
  return {
    metadata: toRecord(call.metadata),
    peerAddress: toAddress(call.getPeer()),
    deadlineMs: toLeftMs(call.getDeadline()),
  };
}

function toRecord(metadata: Metadata): Readonly<Record<string, readonly string[]>> {
  const record = Object.create(null) as Record<string, readonly string[]>;
  for (const name of Object.keys(metadata.getMap()))
    record[name] = metadata.get(name).filter((value) => typeof value === 'string');
  return record;
}

/** `127.0.0.1:50` or `::1:50` without the port. */
function toAddress(peer: string): string | undefined {
  const end = peer.lastIndexOf(':');
  return end === -1 ? undefined : peer.slice(0, end);
}

function toLeftMs(deadline: Date | number): number | null {
  const atMs = typeof deadline === 'number' ? deadline : deadline.getTime();
  return Number.isFinite(atMs) ? Math.max(0, atMs - Date.now()) : null;
}
