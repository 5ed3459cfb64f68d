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
  for (const [name, script] of Object.entries<RedisScript>(scripts)) {
    client.defineCommand(name, script);
    // Such scripts are batches of their own: a pipeline of ioredis would keep them until the replies to the last
    // one are there. In a cluster it takes the number of keys for the first key, and puts what is for different
    // nodes into one pipeline, which it refuses.
    if (script.numberOfKeys === undefined) client.options.autoPipeliningIgnoredCommands?.push(name);
  }
  // ioredis adds the methods without telling the compiler; their arguments and replies are declared by hand.
  return client as RedisClient & Scripts;
}
