import type { Redis, RedisOptions } from 'ioredis';
import { loadRedisLibrary } from './client-library.ts';
import { closeConnection } from './close-connection.ts';
import type { RedisConnection } from './connection.ts';
import { reconnectDelayMs, toCommonOptions, toLogin, toTlsOptions } from './connection-options.ts';
import { hasAnswered, isRedisReply, redisErrorCode, withCode } from './error-code.ts';
import { createRedisKeys } from './keys.ts';
import { inOneWrite } from './one-write.ts';
import { createRenewal } from './renewal.ts';
import { askServerMode } from './server-mode.ts';
import type { ClusterTarget, RedisTarget, SentinelTarget, StandaloneTarget } from './target.ts';

/** The answer of a sentinel, which ioredis tells apart in words only. */
const SENTINELS_FAILED = 'sentinels_failed';
/** For a server that serves nothing: a name that moves on is followed within seconds. Milliseconds. */
const RENEWAL_PAUSES = { min: 500, max: 5_000 };
/** For one that serves something: what is in flight is lost each time. Milliseconds. */
const DOUBTFUL_RENEWAL_PAUSES = { min: 2_000, max: 15_000 };
/**
 * What a purge sends: no batch that is asked for after a purge may get ahead of its tombstones. withScripts
 * adds the scripts that are batches.
 */
const SENT_AT_ONCE = ['set', 'publish'];
const PROBED_LIFE_MS = 1_000;

/**
 * One connection: to the server, to the master that the sentinels name, or to one node of a cluster after the
 * other.
 */
export function createSingleConnection(target: RedisTarget, name: string): RedisConnection<Redis> {
  const redis = open(target, name);
  const links = [redis];
  let lastErrorCode: string | null = null;
  const mayRenew = createRenewal(RENEWAL_PAUSES, () => performance.now());
  const mayRenewInDoubt = createRenewal(DOUBTFUL_RENEWAL_PAUSES, () => performance.now());
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
  });
  redis.on('close', tellLost);
  const renew = (code: string, isAllowed: () => boolean) => {
    if (redis.status !== 'ready' || !isAllowed()) return;
    lastErrorCode = code;
    redis.disconnect(true);
  };
  const probe = async () => {
    const { db = 0 } = redis.options;
    await Promise.all([db === 0 ? null : select(redis, db), verifyServer(redis, target), redis.ping()]);
  };
  return {
    redis,
    isCluster: false,
    inOneWrite: (send) => inOneWrite(links, send),
    isReady: () => redis.status === 'ready',
    lastErrorCode: () => lastErrorCode,
    onReady: (listener) => void redis.on('ready', listener),
    onLost: (listener) => void lostListeners.push(listener),
    onDoubt: () => {},
    probe: async () => {
      try {
        await probe();
      } catch (error) {
        if (hasAnswered(error)) renew(redisErrorCode(error), mayRenew);
        throw error;
      }
    },
    renew: (code) => renew(code, mayRenewInDoubt),
    close: () => closeConnection(redis, links),
  };
}

/** Throws where the server is of another kind than the target, or a replica. */
async function verifyServer(redis: Redis, target: RedisTarget): Promise<void> {
  if (target.topology === 'cluster') return;
  const { mode, role } = await askServerMode(redis);
  if (target.topology === 'standalone') {
    if (mode === 'cluster') throw withCode('CLUSTER_NODE');
    if (mode === 'sentinel') throw withCode('SENTINEL_NODE');
  }
  // Replicas can be made to take writes, and what stands before a server may not know its role.
  if (role !== 'master') await verifyWrites(redis, target);
}

async function verifyWrites(redis: Redis, target: RedisTarget): Promise<void> {
  try {
    await redis.set(createRedisKeys(target.keyPrefix).inspectedText, '1', 'PX', PROBED_LIFE_MS);
  } catch (error) {
    // Other refusals say nothing of its role, and the commands that meet them tell them.
    if (!isRedisReply(error) || redisErrorCode(error) === 'READONLY') throw error;
  }
}

function open(target: RedisTarget, name: string): Redis {
  const options = toOptions(target, name);
  if (target.topology === 'cluster') return openOneOf(target, options);
  const { Redis } = loadRedisLibrary();
  return new Redis({ ...options, ...toPlace(target), db: target.database });
}

function toOptions(target: RedisTarget, name: string) {
  return {
    ...toCommonOptions(target, name),
    enableAutoPipelining: true,
    autoPipeliningIgnoredCommands: [...SENT_AT_ONCE],
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
    // A sentinel that is behind still names the old master, which has become a replica: the check asks for
    // its role.
    enableReadyCheck: true,
    ...(tls === null ? {} : { enableTLSForSentinelMode: true, sentinelTLS: toTlsOptions(tls) }),
  } satisfies RedisOptions;
}

/** Each attempt goes to the next node: the one that was lost may not come back. */
function openOneOf({ nodes }: ClusterTarget, options: ReturnType<typeof toOptions>): Redis {
  const { Redis } = loadRedisLibrary();
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
