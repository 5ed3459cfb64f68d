import type { Logger } from 'pino';
import type { ConnectionHealth } from '../stores/redis/guard.ts';
import { isForPeople, type RedisProblem, toProblem } from '../stores/redis/inspect.ts';
import { createRedisInspector, type RedisInspector } from '../stores/redis/inspector.ts';
import type { RedisTarget } from '../stores/redis/target.ts';

const NOTHING_TO_INSPECT: RedisInspector = { problem: () => null, recheck: () => {}, close: () => {} };

/** Names in the log what is wrong with the configured Redis, once for each finding, and when it is over. */
export function inspectInBackground(
  target: RedisTarget | null,
  holdsDecisions: boolean,
  connections: () => readonly ConnectionHealth[],
  logger: Logger,
): RedisInspector {
  if (target === null) return NOTHING_TO_INSPECT;
  const onChange = (problem: RedisProblem | null) => {
    if (problem === null) logger.info({ event: 'redis.mended' }, 'what was wrong with Redis is over');
    else
      logger.error(
        { event: 'redis.misconfigured', ...problem },
        'Redis answers, and cannot be used as it is',
      );
  };
  return createRedisInspector({ target, holdsDecisions, connections, onChange });
}

/** What to say of Redis to whoever asks: the finding, or else why a connection in use is down. Null when all are up. */
export function describeProblem(
  inspector: RedisInspector,
  { state, reason }: ConnectionHealth,
): RedisProblem | null {
  const found = inspector.problem();
  if (found !== null || state === 'up') return found;
  if (reason !== null && isForPeople(reason)) return toProblem(reason);
  return { code: reason ?? 'unknown', hint: 'It cannot be used at the moment.', commands: [] };
}
