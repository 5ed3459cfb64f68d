import type { StoreProblem, StoreState } from '../http/routes/health.ts';
import type { ConnectionHealth } from '../stores/redis/guard.ts';
import { isForPeople, type RedisProblem, toProblem } from '../stores/redis/inspect.ts';
import { createRedisInspector, judgeConnections, type RedisInspector } from '../stores/redis/inspector.ts';
import type { RedisTarget } from '../stores/redis/target.ts';
import type { AppContext } from './context.ts';
import { namesRedis } from './decision-log.ts';
import { readRedisTarget } from './redis-target.ts';

/** The configured Redis, and how the connections to it are. */
export interface RedisInUse {
  /** Null where none is configured. */
  readonly target: RedisTarget | null;
  /** Adds a connection that is in use. The first is the one that counts before all others. */
  watch(health: () => ConnectionHealth | null): void;
  state(): StoreState;
  /**
   * The problem with Redis, as callers are told it: the finding, or else why a connection is down. Null when
   * all are up.
   */
  problem(): StoreProblem | null;
  /** Asks for an inspection: a command was refused with this code. */
  recheck(code: string): void;
  close(): void;
}

const NOTHING_TO_INSPECT: RedisInspector = { problem: () => null, recheck: () => {}, close: () => {} };

/**
 * Reads where Redis is, and inspects it in the background. Throws when a file that it needs cannot be read.
 */
export function inspectRedisInUse(context: AppContext): RedisInUse {
  const target = readRedisTarget(context.config.redis);
  const watched: (() => ConnectionHealth | null)[] = [];
  const connections = () => watched.map((health) => health()).filter((health) => health !== null);
  const inspector = target === null ? NOTHING_TO_INSPECT : inspect(context, target, connections);
  return {
    target,
    watch: (health) => void watched.push(health),
    state: () => (target === null ? 'absent' : judgeConnections(connections()).state),
    problem: () => describeProblem(inspector, judgeConnections(connections())),
    recheck: inspector.recheck,
    close: inspector.close,
  };
}

/** Names in the log what is wrong, once for each finding, and when it is over. */
function inspect(
  { config, sinks, logger }: AppContext,
  target: RedisTarget,
  connections: () => readonly ConnectionHealth[],
): RedisInspector {
  const onChange = (problem: RedisProblem | null) => {
    if (problem === null) logger.info({ event: 'redis.mended' }, 'what was wrong with Redis is over');
    else
      logger.error(
        { event: 'redis.misconfigured', ...problem },
        'Redis answers, and cannot be used as it is',
      );
  };
  const holdsDecisions = namesRedis(config, sinks);
  return createRedisInspector({ target, holdsDecisions, connections, onChange });
}

function describeProblem(
  inspector: RedisInspector,
  { state, reason }: ConnectionHealth,
): RedisProblem | null {
  const found = inspector.problem();
  if (found !== null || state === 'up') return found;
  if (reason !== null && isForPeople(reason)) return toProblem(reason);
  return { code: reason ?? 'unknown', hint: 'It cannot be used at the moment.', commands: [] };
}
