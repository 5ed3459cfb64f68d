import type { ConnectionOptions } from 'node:tls';
import type { RedisOptions } from 'ioredis';
import type { RedisCredentials, RedisTarget, RedisTls } from './target.ts';

/** A handshake that takes longer belongs to a server that is of no use to a decision. */
const CONNECT_TIMEOUT_MS = 1_000;
/**
 * When a command without a reply is given up, the handshake's included: no sooner than the longest
 * REDIS_TIMEOUT_MS, since the guard bounds what a decision waits. A peer that says nothing at all is given up
 * sooner, by the socket.
 */
const COMMAND_TIMEOUT_MS = 10_000;
/**
 * No byte for so long while a reply is due: the peer is gone without a FIN, and only a new connection can
 * find it again.
 */
const SOCKET_TIMEOUT_MS = 2_000;
/** How long a server may take to close its side before the socket is destroyed. */
export const DISCONNECT_WAIT_MS = 250;
const RECONNECT_DELAY_MS_MIN = 50;
const RECONNECT_DELAY_MS_MAX = 1_000;

/** What every connection to a server has in common, whatever the topology. */
export function toCommonOptions(
  { credentials, tls }: Pick<RedisTarget, 'credentials' | 'tls'>,
  name: string,
) {
  return {
    ...toLogin(credentials),
    ...(tls === null ? {} : { tls: toTlsOptions(tls) }),
    connectionName: name,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_WAIT_MS,
    // With 0 every loss of the connection rejects what was in flight. With more, ioredis keeps it for the
    // next connection: a write could then land minutes later, after a purge and its tombstone.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // The subscriber subscribes by itself, to know when; ioredis would leave a failed attempt as an unhandled
    // rejection.
    autoResubscribe: false,
    // It asks for INFO, which a careful ACL refuses, and waits while a server loads its data; the probe says
    // LOADING instead.
    enableReadyCheck: false,
  } satisfies RedisOptions;
}

/** The options of ioredis that sign in; what is null is left out, since ioredis would send it. */
export function toLogin({ username, password }: RedisCredentials): { username?: string; password?: string } {
  return { ...(username === null ? {} : { username }), ...(password === null ? {} : { password }) };
}

/** The options of TLS; what is null is left to Node. */
export function toTlsOptions({ ca, cert, key, serverName }: RedisTls): ConnectionOptions {
  return {
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(serverName === null ? {} : { servername: serverName }),
  };
}

/** Milliseconds before the attempt with this number, counted from 1. */
export function reconnectDelayMs(attempt: number): number {
  return Math.min(RECONNECT_DELAY_MS_MIN * 2 ** (attempt - 1), RECONNECT_DELAY_MS_MAX);
}
