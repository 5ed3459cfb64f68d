import { fileURLToPath } from 'node:url';
import type { GrpcCall } from '../../platform/grpc/call.ts';
import { createGrpcServer, type GrpcServer } from '../../platform/grpc/server.ts';
import type { GatewayCredentials } from '../authenticate-gateway.ts';
import type { Check } from '../check.ts';
import { refusedResult } from '../gateway-result.ts';
import type { NoteRefusal } from '../refusal-log.ts';
import { ENVOY_GRPC, profileOf, toCheckResponse, toOriginal, toTooLargeResponse } from './index.ts';
import type { CheckRequest } from './messages.ts';

const PROTO_FILE = fileURLToPath(new URL('./authorization.proto', import.meta.url));
/**
 * An answer at the very end of the gateway's deadline comes too late: this share of it is for the way back.
 */
const RETURN_SHARE = 0.1;

/** The longest deadline that a profile or the configuration may give a decision. */
const DEADLINE_MS_MAX = 10_000;
/** Beside deadline and record: for the message to come, and the answer to be taken. */
const TRANSFER_MS = 5_000;

/** What the gRPC entry point uses. */
export interface GrpcEntryPointOptions {
  readonly check: Check;
  /** Whether these credentials are those of a gateway of any profile. */
  readonly isGateway: (credentials: GatewayCredentials) => boolean;
  readonly noteRefusal: NoteRefusal;
  readonly newId: () => string;
  /** Of the message, which holds the head of the end user's request. */
  readonly messageBytesMax: number;
  /** How long an answer may wait for its record, beside the deadline; 0 where none waits. */
  readonly recordWaitMs: number;
  /** Whether decisions can be answered. */
  readonly isReady: () => boolean;
}

/** The entry point for Envoy over gRPC, ready to listen. */
export function createGrpcEntryPoint(options: GrpcEntryPointOptions): GrpcServer {
  const { check, isGateway, noteRefusal, newId, messageBytesMax, isReady } = options;
  const ask = (request: CheckRequest, call: GrpcCall) => {
    const { deadlineMs } = call;
    const result = check({
      dialect: ENVOY_GRPC,
      profile: profileOf(request),
      credentials: toCredentials(call),
      original: () => toOriginal(request),
      requestId: newId(),
      deadlineMs: deadlineMs === null ? null : deadlineMs * (1 - RETURN_SHARE),
    });
    return result instanceof Promise ? result.then(toCheckResponse) : toCheckResponse(result);
  };
  const method = {
    // The message names the profile, and reading it for a stranger is what a stranger could spend our time
    // with.
    refuse: (call: GrpcCall) => {
      if (isGateway(toCredentials(call))) return undefined;
      noteRefusal('CALLER_UNKNOWN', ENVOY_GRPC, null);
      return toCheckResponse(refusedResult('CALLER_UNKNOWN'));
    },
    answerOversized: () => {
      noteRefusal('REQUEST_TOO_LARGE', ENVOY_GRPC, null);
      return toTooLargeResponse();
    },
    // The message was read by the definition that the type restates.
    answer: (request: unknown, call: GrpcCall) => ask(request as CheckRequest, call),
  };
  return createGrpcServer({
    protoFile: PROTO_FILE,
    service: 'envoy.service.auth.v3.Authorization',
    isServing: isReady,
    messageBytesMax,
    callMsMax: toCallMsMax(options.recordWaitMs),
    methods: { Check: method },
    onTrouble: (trouble) => noteRefusal(`CONNECTION_${toUpperCase(trouble)}`, ENVOY_GRPC, null),
  });
}

/** How long a call may last, in milliseconds: always longer than its decision and the record of it. */
export function toCallMsMax(recordWaitMs: number): number {
  return DEADLINE_MS_MAX + recordWaitMs + TRANSFER_MS;
}

function toUpperCase<Text extends string>(text: Text): Uppercase<Text> {
  return text.toUpperCase() as Uppercase<Text>;
}

/** The metadata is the gateway's own; the headers of the end user are in the message. */
function toCredentials({ metadata, peerAddress }: GrpcCall): GatewayCredentials {
  return { headers: metadata, peerAddress };
}
