import { createRequire } from 'node:module';
import type * as Library from 'ioredis';

const requireHere = createRequire(import.meta.url);

/**
 * ioredis, loaded with the first connection: a service without Redis would spend 50 ms of its start on it.
 * Throws where it cannot be loaded, which ends the start of a service with Redis.
 */
export function loadRedisLibrary(): typeof Library {
  return requireHere('ioredis') as typeof Library;
}
