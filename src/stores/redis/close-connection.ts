import type { Redis } from 'ioredis';
import { DISCONNECT_WAIT_MS } from './connection-options.ts';
import { withinBudget } from './within-budget.ts';

const QUIT_WAIT_MS = 500;

interface Closable {
  readonly status: string;
  once(event: 'end', listener: () => void): unknown;
  quit(): Promise<unknown>;
  disconnect(): void;
}

/**
 * Says goodbye and disconnects, within about a second whatever the server does. Never rejects. `links` are
 * the connections that it stands on.
 */
export async function closeConnection(redis: Closable, links: readonly Redis[]): Promise<void> {
  const isOver = redis.status === 'end' || redis.status === 'reconnecting';
  const ended = isOver ? Promise.resolve() : new Promise<void>((resolve) => redis.once('end', resolve));
  if (redis.status === 'ready') await quit(redis);
  for (const link of links) expectErrors(link);
  redis.disconnect();
  await withinBudget(ended, 2 * DISCONNECT_WAIT_MS);
}

async function quit(redis: Closable): Promise<void> {
  try {
    await withinBudget(redis.quit(), QUIT_WAIT_MS);
  } catch {
    // The connection was lost first. Disconnecting follows either way.
  }
}

/**
 * To be called before a connection is given up. ioredis ends the socket in the middle of a TLS handshake too;
 * Node then tells the refused certificate and the alert of the server as two errors, and ioredis listens to
 * one.
 */
export function expectErrors(redis: Redis): void {
  // Not there before the first attempt to connect, which the types pass over.
  const { stream } = redis as { readonly stream?: Redis['stream'] };
  stream?.on('error', () => {});
}
