import type { Redis } from 'ioredis';

/**
 * Calls `send`, and writes what it sends over these connections afterwards, to each socket at once: a write
 * costs this process as much as building the command. What `send` throws is thrown.
 */
export function inOneWrite(links: readonly Redis[], send: () => void): void {
  for (const link of links) streamOf(link)?.cork();
  try {
    send();
  } finally {
    // A connection that was made again meanwhile has another stream, which nothing holds back.
    for (const link of links) streamOf(link)?.uncork();
  }
}

/** Not there before the first attempt to connect, which the types pass over. */
function streamOf(link: Redis): Redis['stream'] | undefined {
  return (link as { readonly stream?: Redis['stream'] }).stream;
}
