import { readFileSync } from 'node:fs';
import type { CallHandler } from './call.ts';
import { boundOpenCalls } from './open-calls.ts';
import { type ProtoMethod, readProtoFile } from './proto-file.ts';
import type { Reply } from './reply.ts';
import { GRPC_STATUS } from './status.ts';

/** How often health checks learn of what has changed: they ask every few seconds. */
const LOOK_MS = 500;
/** Longer names of services are none. */
const MESSAGE_BYTES_MAX = 1_024;
/** At once, of each method. */
const CALLS_MAX = 128;

/** The definition of the gRPC health service, as reflection shows it. */
export const HEALTH_FILE = readProtoFile(
  'grpc/health/v1/health.proto',
  readFileSync(new URL('./health.proto', import.meta.url), 'utf8'),
);

/** The standard health service (grpc.health.v1). */
interface Health {
  readonly handlers: ReadonlyMap<string, CallHandler>;
  /** Says that nothing is served from now on. */
  drain(): void;
  /** Ends the watches, and those that begin later. */
  close(): void;
}

/**
 * Tells the health of the server and of each of `services`: all have the same, and what `isServing` says is
 * at most half a second old.
 */
export function createHealth(services: readonly string[], isServing: () => boolean): Health {
  const known = ['', ...services];
  const watches = new Set<Asked>();
  const toStatus = (name: string) => {
    if (!known.includes(name)) return 'SERVICE_UNKNOWN';
    return isUp ? 'SERVING' : 'NOT_SERVING';
  };
  let isUp = isServing();
  let isClosed = false;
  const tell = (is: boolean) => {
    if (is === isUp) return;
    isUp = is;
    for (const { name, reply, encode } of watches)
      if (known.includes(name)) reply.send(encode({ status: toStatus(name) }));
  };
  const timer = setInterval(() => tell(isServing()), LOOK_MS).unref();
  const check = toHandler('Check', false, ({ name, reply, encode }) => {
    const status = toStatus(name);
    if (status === 'SERVICE_UNKNOWN') reply.end(GRPC_STATUS.notFound, 'unknown service');
    else reply.answer(encode({ status }));
  });
  const list = toHandler('List', false, ({ reply, encode }) => {
    reply.answer(
      encode({ statuses: Object.fromEntries(known.map((name) => [name, { status: toStatus(name) }])) }),
    );
  });
  const watch = toHandler(
    'Watch',
    true,
    (begun) => {
      if (isClosed) {
        begun.reply.end(GRPC_STATUS.unavailable);
        return;
      }
      watches.add(begun);
      begun.reply.send(begun.encode({ status: toStatus(begun.name) }));
    },
    (over) => watches.delete(over),
  );
  return {
    handlers: new Map([check, list, watch]),
    drain: () => {
      clearInterval(timer);
      tell(false);
    },
    close: () => {
      isClosed = true;
      for (const { reply } of watches) reply.end(GRPC_STATUS.unavailable);
    },
  };
}

interface Asked {
  readonly name: string;
  readonly reply: Reply;
  readonly encode: ProtoMethod['encode'];
}

/** Calls `onAsked` once the message is whole, and `onOver` with the same when that call is over. */
function toHandler(
  method: string,
  isLasting: boolean,
  onAsked: (asked: Asked) => void,
  onOver?: (asked: Asked) => void,
): [string, CallHandler] {
  const path = `/grpc.health.v1.Health/${method}`;
  const codec = HEALTH_FILE.methods.get(path);
  if (codec === undefined) throw new Error(`${path} is not defined`);
  const handler: CallHandler = {
    messageBytesMax: MESSAGE_BYTES_MAX,
    isLasting,
    open: (_call, reply) => {
      let asked: Asked | null = null;
      return {
        onMessage: (bytes) => {
          if (asked !== null) return;
          const name = readName(codec, bytes);
          if (name === null) {
            reply.end(GRPC_STATUS.invalidArgument, 'the message cannot be read');
            return;
          }
          asked = { name, reply, encode: codec.encode };
          onAsked(asked);
        },
        onOversized: () => reply.end(GRPC_STATUS.resourceExhausted, 'the message is too large'),
        onEnd: () => {
          if (asked === null) reply.end(GRPC_STATUS.invalidArgument, 'a message is missing');
        },
        onClose: () => {
          if (asked !== null) onOver?.(asked);
        },
      };
    },
  };
  return [path, boundOpenCalls(handler, CALLS_MAX)];
}

function readName({ decode }: ProtoMethod, bytes: Uint8Array): string | null {
  try {
    // protobufjs decodes by health.proto, whose message has this one field.
    const { service = '' } = decode(bytes) as { readonly service?: string };
    return service;
  } catch {
    return null;
  }
}
