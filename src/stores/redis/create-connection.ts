import type { Redis } from 'ioredis';
import { createClusterConnection } from './cluster-connection.ts';
import type { RedisConnection } from './connection.ts';
import { createSingleConnection } from './single-connection.ts';
import type { RedisTarget } from './target.ts';

/**
 * Connects in the background and returns at once, server or no server. `name` is shown by CLIENT LIST.
 * Commands never wait for a connection and are never sent twice: while there is none they are rejected, and
 * those without a reply are rejected when it is lost.
 */
export function createRedisConnection(target: RedisTarget, name: string): RedisConnection {
  return target.topology === 'cluster'
    ? createClusterConnection(target, name)
    : createSingleConnection(target, name);
}

/**
 * The same for subscriptions. Of a cluster one node is asked, and another one when that is lost: each of them
 * passes on what is published at any.
 */
export function createRedisSubscriber(target: RedisTarget, name: string): RedisConnection<Redis> {
  return createSingleConnection(target, name);
}
