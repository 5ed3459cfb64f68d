import type { Logger } from 'pino';
import { createRedisHandle, type RedisHandle } from '../stores/redis/handle.ts';
import type { RedisTarget } from '../stores/redis/target.ts';

interface OpenRedisOptions {
  readonly target: RedisTarget;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /** The longest a command may keep its caller. */
  readonly budgetMs: number;
  readonly logger: Logger;
  /** What the events of this connection begin with in the log. */
  readonly eventPrefix: string;
  /** Told when Redis refuses a command. */
  readonly onRefused: (code: string) => void;
}

/** Opens a handle to Redis that logs what becomes of its connection. */
export function openRedis(options: OpenRedisOptions): RedisHandle {
  const { logger, eventPrefix, onRefused, ...rest } = options;
  return createRedisHandle({
    ...rest,
    onEvent: (event) => {
      const { kind, ...fields } = event;
      const line = { event: `${eventPrefix}${kind}`, ...fields };
      if (kind === 'up' || kind === 'subscribed') logger.info(line);
      else logger.warn(line);
      if (event.kind === 'command_refused') onRefused(event.code);
    },
  });
}
