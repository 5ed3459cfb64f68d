import { Redis, type RedisOptions } from 'ioredis';
import { closeConnection } from './close-connection.ts';
import type { RedisConnection } from './connection.ts';
import { reconnectDelayMs, toCommonOptions, toLogin, toTlsOptions } from './connection-options.ts';
import { isRedisReply, redisErrorCode, withCode } from './error-code.ts';
import { askServerMode } from './server-mode.ts';
import type { ClusterTarget, RedisTarget, SentinelTarget, StandaloneTarget } from './target.ts';

/** The answer of a sentinel, which ioredis tells apart in words only. */
const SENTINELS_FAILED = 'sentinels_failed';

/** One connection: to the server, to the master that the sentinels name, or to one node of a cluster after the other. */
export function createSingleConnection(target: RedisTarget, name: string): RedisConnection<Redis> {
  const redis = open(target, name);
  let lastErrorCode: string | null = null;
  let hasAskedMode = false;
  const lostListeners: (() => void)[] = [];
  const tellLost = () => {
    for (const listener of lostListeners) listener();
  };
  redis.on('error', (error: unknown) => {
    const code = redisErrorCode(error);
    const isSentinels = target.topology === 'sentinel' && redis.status === 'connecting';
    lastErrorCode = isSentinels && code === 'no_answer' ? SENTINELS_FAILED : code;
    // While no sentinel helps there is no connection that could close.
    if (isSentinels) tellLost();
  });
  redis.on('ready', () => {
    lastErrorCode = null;
    hasAskedMode = false;
  });
  redis.on('close', tellLost);
  const verifyMode = async () => {
    if (hasAskedMode || target.topology !== 'standalone') return;
    const { mode } = await askServerMode(redis);
    if (mode === 'cluster') throw withCode('CLUSTER_NODE');
    if (mode === 'sentinel') throw withCode('SENTINEL_NODE');
    hasAskedMode = true;
  };
  return {
    redis,
    isReady: () => redis.status === 'ready',
    lastErrorCode: () => lastErrorCode,
    onReady: (listener) => void redis.on('ready', listener),
    onLost: (listener) => void lostListeners.push(listener),
    onDoubt: () => {},
    probe: async () => {
      const { db = 0 } = redis.options;
      await Promise.all([db === 0 ? null : select(redis, db), verifyMode(), redis.ping()]);
    },
    close: () => closeConnection(redis, [redis]),
  };
}

function open(target: RedisTarget, name: string): Redis {
  const options = toOptions(target, name);
  if (target.topology === 'cluster') return openOneOf(target, options);
  return new Redis({ ...options, ...toPlace(target), db: target.database });
}

function toOptions(target: RedisTarget, name: string) {
  return {
    ...toCommonOptions(target, name),
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    retryStrategy: reconnectDelayMs,
  } satisfies RedisOptions;
}

function toPlace(target: StandaloneTarget | SentinelTarget) {
  if (target.topology === 'standalone') return target.address;
  const { sentinels, masterName, sentinelCredentials, tls } = target;
  const { username, password } = toLogin(sentinelCredentials);
  return {
    sentinels: [...sentinels],
    name: masterName,
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    sentinelCommandTimeout: 1_000,
    sentinelRetryStrategy: reconnectDelayMs,
    // A sentinel that is behind still names the old master, which has become a replica: the check asks for its role.
    enableReadyCheck: true,
    // A master that was demoted by somebody else than a sentinel keeps our connection: the sentinels know another by now.
    reconnectOnError: (error: Error) => redisErrorCode(error) === 'READONLY',
    ...(tls === null ? {} : { enableTLSForSentinelMode: true, sentinelTLS: toTlsOptions(tls) }),
  } satisfies RedisOptions;
}

/** Each attempt goes to the next node: the one that was lost may not come back. */
function openOneOf({ nodes }: ClusterTarget, options: ReturnType<typeof toOptions>): Redis {
  const [first] = nodes;
  let attempts = 1;
  const redis: Redis = new Redis({
    ...options,
    ...first,
    retryStrategy: (attempt: number) => {
      const next = nodes[attempts++ % nodes.length];
      // Read by ioredis when it connects.
      Object.assign(redis.options, next);
      return reconnectDelayMs(attempt);
    },
  });
  return redis;
}

/** ioredis selects the database when it connects, and goes on in database 0 where that is refused. */
async function select(redis: Redis, database: number): Promise<void> {
  try {
    await redis.select(database);
  } catch (error) {
    if (!isRedisReply(error)) throw error;
    throw withCode('DATABASE_REFUSED');
  }
}
