import { DISCONNECT_WAIT_MS } from './connection-options.ts';
import { withinBudget } from './within-budget.ts';

const QUIT_WAIT_MS = 500;

interface Closable {
  readonly status: string;
  once(event: 'end', listener: () => void): unknown;
  quit(): Promise<unknown>;
  disconnect(): void;
}

/** Says goodbye and disconnects, within about a second whatever the server does. Never rejects. */
export async function closeConnection(redis: Closable): Promise<void> {
  const isOver = redis.status === 'end' || redis.status === 'reconnecting';
  const ended = isOver ? Promise.resolve() : new Promise<void>((resolve) => redis.once('end', resolve));
  if (redis.status === 'ready') await quit(redis);
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
