import type { RequestCounter, WindowCount } from '../../application/callers/request-counter.ts';
import type { MemoryRequestCounter } from './memory-counter.ts';
import type { RedisRequestCounter } from './redis-counter.ts';

interface TieredRequestCounterOptions {
  readonly memory: MemoryRequestCounter;
  readonly redis: RedisRequestCounter;
}

/**
 * Counts in Redis, and in memory from the last shared count on while Redis is lost: a caller is never without
 * its limit, and at worst has it once in each process.
 */
export function createTieredRequestCounter({ memory, redis }: TieredRequestCounterOptions): RequestCounter {
  return {
    count: (callerId, windowMs, max) => {
      const adopt = (shared: WindowCount | null): WindowCount => {
        if (shared === null) return memory.count(callerId, windowMs, max);
        memory.adopt(callerId, windowMs, shared);
        return shared;
      };
      const counted = redis.count(callerId, windowMs, max);
      return counted instanceof Promise ? counted.then(adopt) : adopt(counted);
    },
  };
}
