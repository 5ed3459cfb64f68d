import type { Logger } from 'pino';
import type { StoreHealth } from '../stores/evidence/closable-evidence-store.ts';
import type { RedisProblem } from '../stores/redis/inspect.ts';
import { createRedisInspector, type RedisInspector } from '../stores/redis/inspector.ts';
import type { RedisTarget } from '../stores/redis/target.ts';

const NOTHING_TO_INSPECT: RedisInspector = { problem: () => null, recheck: () => {}, close: () => {} };

/** Names in the log what is wrong with the configured Redis, once for each finding, and when it is over. */
export function inspectInBackground(
  target: RedisTarget | null,
  holdsDecisions: boolean,
  isUp: () => boolean,
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
  return createRedisInspector({ target, holdsDecisions, isUp, onChange });
}

/** What to say of the store to whoever asks: the finding, or else why it is down. Null when it is up. */
export function describeProblem(
  inspector: RedisInspector,
  { state, reason }: StoreHealth,
): RedisProblem | null {
  const found = inspector.problem();
  if (found !== null || state === 'up') return found;
  return { code: reason ?? 'unknown', hint: 'It cannot be used at the moment.', commands: [] };
}
