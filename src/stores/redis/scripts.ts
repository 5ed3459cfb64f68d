import type { RedisClient } from './connection.ts';

/**
 * A Lua script, and how many of its first arguments are keys; without a number its first argument says how
 * many follow.
 */
interface RedisScript {
  readonly numberOfKeys?: number;
  readonly lua: string;
}

/**
 * The client with a method for each script. Every method that `Scripts` declares has to be given its script.
 */
export function withScripts<Scripts extends object>(
  client: RedisClient,
  scripts: { readonly [Name in keyof Scripts]: RedisScript },
): RedisClient & Scripts {
  for (const [name, script] of Object.entries<RedisScript>(scripts)) client.defineCommand(name, script);
  // ioredis adds the methods without telling the compiler; their arguments and replies are declared by hand.
  return client as RedisClient & Scripts;
}
