import type { CallHandler, GrpcCall } from './call.ts';
import type { ProtoMethod } from './proto-file.ts';
import type { Reply } from './reply.ts';
import { GRPC_STATUS } from './status.ts';

/**
 * A method that takes one message and answers one. None of its functions may throw or reject: that would be
 * an INTERNAL without details. A null is an UNAVAILABLE without details.
 */
export interface UnaryMethod {
  /** The answer to a caller whose message is not even read, or undefined for one whose message is. */
  readonly refuse: (call: GrpcCall) => unknown;
  /** The answer to a message that is too large to be read. */
  readonly answerOversized: () => unknown;
  readonly answer: (request: unknown, call: GrpcCall) => unknown;
}

/** `method`, as it is asked over the wire with messages of at most `messageBytesMax`. */
export function toUnaryHandler(
  method: UnaryMethod,
  { decode, encode }: ProtoMethod,
  messageBytesMax: number,
): CallHandler {
  const answer = (reply: Reply, response: unknown) => {
    if (response === null) reply.end(GRPC_STATUS.unavailable);
    else reply.answer(encode(response));
  };
  return {
    messageBytesMax,
    isLasting: false,
    open: (call, reply) => {
      const refusal = method.refuse(call);
      if (refusal !== undefined) {
        answer(reply, refusal);
        return null;
      }
      let message: Uint8Array | null = null;
      return {
        onMessage: (bytes) => {
          if (message !== null) reply.end(GRPC_STATUS.unimplemented, 'one message is taken');
          message = bytes;
        },
        onOversized: () => answer(reply, method.answerOversized()),
        onEnd: () => {
          if (message === null) reply.end(GRPC_STATUS.invalidArgument, 'a message is missing');
          else respond(message, call, reply);
        },
      };
    },
  };
  function respond(message: Uint8Array, call: GrpcCall, reply: Reply): void {
    const fail = () => reply.end(GRPC_STATUS.internal);
    const succeed = (response: unknown) => {
      try {
        answer(reply, response);
      } catch {
        // An answer that does not fit its definition is a defect, and no crash.
        fail();
      }
    };
    let request: unknown;
    try {
      request = decode(message);
    } catch {
      // Bytes that are no such message; gateways write none.
      reply.end(GRPC_STATUS.invalidArgument, 'the message cannot be read');
      return;
    }
    try {
      const response = method.answer(request, call);
      if (response instanceof Promise) response.then(succeed, fail);
      else succeed(response);
    } catch {
      fail();
    }
  }
}
