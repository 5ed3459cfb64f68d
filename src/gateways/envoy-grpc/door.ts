import { fileURLToPath } from 'node:url';
import { createGrpcServer, type GrpcCall, type GrpcServer } from '../../platform/grpc-server.ts';
import type { Check } from '../check.ts';
import { ENVOY_GRPC, profileOf, toCheckResponse, toOriginal } from './index.ts';
import type { CheckRequest, CheckResponse } from './messages.ts';

const PROTO_FILE = fileURLToPath(new URL('./authorization.proto', import.meta.url));
/** An answer at the very end of the gateway's deadline comes too late: this share of it is for the way back. */
const RETURN_SHARE = 0.1;

export interface GrpcDoorOptions {
  readonly check: Check;
  readonly newId: () => string;
  /** Whether decisions can be answered. */
  readonly isReady: () => boolean;
}

/** The door for Envoy over gRPC, ready to listen. */
export function createGrpcDoor({ check, newId, isReady }: GrpcDoorOptions): GrpcServer {
  const ask = (request: CheckRequest, { metadata, peerAddress, deadlineMs }: GrpcCall) => {
    const outcome = check({
      dialect: ENVOY_GRPC,
      profile: profileOf(request),
      // The metadata is the gateway's own; the headers of the end user are in the message.
      credentials: { headers: metadata, peerAddress },
      original: () => toOriginal(request),
      requestId: newId(),
      deadlineMs: deadlineMs === null ? null : deadlineMs * (1 - RETURN_SHARE),
    });
    return outcome instanceof Promise ? outcome.then(toCheckResponse) : toCheckResponse(outcome);
  };
  return createGrpcServer({
    protoFile: PROTO_FILE,
    service: 'envoy.service.auth.v3.Authorization',
    isServing: isReady,
    // The library has parsed the message by the definition that the type restates.
    methods: { Check: (request, call): MaybePromise => ask(request as CheckRequest, call) },
  });
}

type MaybePromise = CheckResponse | null | Promise<CheckResponse | null>;
