import { Redis } from 'ioredis';
import { withinBudget } from './within-budget.ts';

export interface RedisConnectionOptions {
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /** When a command without a reply is given up, the handshake's included. It frees memory; what a decision waits is bounded by the guard. */
  readonly commandTimeoutMs?: number;
}

/** One connection that reconnects for as long as it is not closed. */
export interface RedisConnection {
  readonly redis: Redis;
  isReady(): boolean;
  /** The code of the latest connection or handshake error since the connection was last ready; null without one. */
  lastErrorCode(): string | null;
  /** Asks whether commands would be served, in the database that the URL names. Rejects as any command does. */
  probe(): Promise<void>;
  /** Says goodbye and disconnects, within about a second whatever the server does. Never rejects. */
  close(): Promise<void>;
}

/** A handshake that takes longer belongs to a server that is of no use to a decision. */
const CONNECT_TIMEOUT_MS = 1_000;
const COMMAND_TIMEOUT_MS = 1_000;
/** No byte for so long while a reply is due: the peer is gone without a FIN, and only a new connection can find it again. */
const SOCKET_TIMEOUT_MS = 2_000;
const RECONNECT_DELAY_MS_MIN = 50;
const RECONNECT_DELAY_MS_MAX = 1_000;
const QUIT_WAIT_MS = 500;
/** How long a server may take to close its side before the socket is destroyed. */
const DISCONNECT_WAIT_MS = 250;

/**
 * Connects in the background to a `redis://` or `rediss://` URL (user, password and database in it) or a unix socket path, and returns at once, server or no server.
 * Commands never wait for a connection and are never sent twice: while there is none they are rejected, and those without a reply are rejected when it is lost.
 */
export function createRedisConnection(url: string, options: RedisConnectionOptions): RedisConnection {
  const redis = new Redis(url, {
    connectionName: options.name,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_WAIT_MS,
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    // With 0 every loss of the connection rejects what was in flight. With more, ioredis keeps it for the next connection: a write could then land minutes later, after a purge and its tombstone.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // The subscriber subscribes by itself, to know when; ioredis would leave a failed attempt as an unhandled rejection.
    autoResubscribe: false,
    retryStrategy: (attempt) => Math.min(RECONNECT_DELAY_MS_MIN * 2 ** (attempt - 1), RECONNECT_DELAY_MS_MAX),
  });
  let lastErrorCode: string | null = null;
  redis.on('error', (error: unknown) => {
    lastErrorCode = redisErrorCode(error);
  });
  redis.on('ready', () => {
    lastErrorCode = null;
  });
  return {
    redis,
    isReady: () => redis.status === 'ready',
    lastErrorCode: () => lastErrorCode,
    probe: () => probe(redis),
    close: () => closeConnection(redis),
  };
}

/** ioredis selects the database when it connects, and goes on in database 0 where that is refused. */
async function probe(redis: Redis): Promise<void> {
  const { db = 0 } = redis.options;
  await Promise.all([db === 0 ? null : select(redis, db), redis.ping()]);
}

async function select(redis: Redis, db: number): Promise<void> {
  try {
    await redis.select(db);
  } catch (error) {
    if (!isRedisReply(error)) throw error;
    throw Object.assign(new Error('SELECT was refused.'), { code: 'DATABASE_REFUSED' });
  }
}

/** True for an answer of the server that says no. Everything else means that no answer came. */
export function isRedisReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** A short code without any text of a caller: a reply's first word (`WRONGPASS`, `OOM`), which the Redis protocol defines as its error code, or the socket's code, or `no_answer` for ioredis's own timeouts and lost connections. */
export function redisErrorCode(error: unknown): string {
  if (isRedisReply(error)) return error.message.split(' ', 1)[0] ?? error.name;
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'no_answer';
}

async function closeConnection(redis: Redis): Promise<void> {
  const isOver = redis.status === 'end' || redis.status === 'reconnecting';
  const ended = isOver ? Promise.resolve() : new Promise<void>((resolve) => redis.once('end', resolve));
  if (redis.status === 'ready') await quit(redis);
  redis.disconnect();
  await withinBudget(ended, 2 * DISCONNECT_WAIT_MS);
}

async function quit(redis: Redis): Promise<void> {
  try {
    await withinBudget(redis.quit(), QUIT_WAIT_MS);
  } catch {
    // The connection was lost first. Disconnecting follows either way.
  }
}
