import { createRequire } from 'node:module';
import type * as Undici from 'undici';

// The main module of undici loads all its other parts too (fetch, caches, mocks, WebSocket): 55 ms and 15 MB
// of every start. The version is pinned, and with another layout the service does not start.
const requireHere = createRequire(import.meta.url);

/** undici's pool of connections to one origin, from its own file. */
export const Pool = requireHere('undici/lib/dispatcher/pool.js') as typeof Undici.Pool;

/** undici's builder of what opens connections, from its own file. */
export const buildConnector = requireHere('undici/lib/core/connect.js') as typeof Undici.buildConnector;

/** What opens one connection. */
export type Connector = Undici.buildConnector.connector;

/** A pool knows its origin itself. */
type ConnectOptions = Omit<Undici.Dispatcher.ConnectOptions, 'origin'>;

type Connect = (this: Undici.Dispatcher, options: ConnectOptions) => Promise<Undici.Dispatcher.ConnectData>;

const connect = requireHere('undici/lib/api/api-connect.js') as Connect;

/**
 * Asks the peer of the pool for a tunnel by CONNECT, and rejects where there is no answer. Only the main
 * module of undici makes this a method of its pools.
 */
export function connectThrough(
  pool: Undici.Dispatcher,
  options: ConnectOptions,
): Promise<Undici.Dispatcher.ConnectData> {
  return connect.call(pool, options);
}
