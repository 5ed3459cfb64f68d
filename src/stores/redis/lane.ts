import type { RedisClient } from './connection.ts';
import type { RedisGuard } from './guard.ts';
import type { RedisKeys } from './keys.ts';

/** The one connection for commands and what contains it. Stores that share it share its batches, its suspicion and its recovery. */
export interface RedisLane {
  readonly redis: RedisClient;
  readonly keys: RedisKeys;
  readonly guard: RedisGuard;
  /** Calls back each time Redis can be used again, the first time included. */
  onUp(listener: () => void): void;
  /** Reports a value that is not what its key promises. */
  refuseValue(key: string): void;
}
