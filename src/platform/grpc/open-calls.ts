import type { CallHandler } from './call.ts';
import type { Reply } from './reply.ts';
import { GRPC_STATUS } from './status.ts';

/**
 * Bounds the calls of `handler` that are open at once, for methods that anyone may call: the oldest is closed
 * to make room, so that a client that keeps calls open cannot block others.
 */
export function boundOpenCalls(handler: CallHandler, callsMax: number): CallHandler {
  const open = new Set<Reply>();
  return {
    ...handler,
    open: (call, reply) => {
      const sink = handler.open(call, reply);
      if (sink === null) return null;
      const [oldest] = open;
      if (open.size >= callsMax && oldest !== undefined) {
        oldest.abort(GRPC_STATUS.resourceExhausted, 'too many calls');
        open.delete(oldest);
      }
      open.add(reply);
      return {
        ...sink,
        onClose: () => {
          open.delete(reply);
          sink.onClose?.();
        },
      };
    },
  };
}
