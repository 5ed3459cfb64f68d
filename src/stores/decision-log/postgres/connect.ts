import { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import pg, { type Client } from 'pg';
import type { HostAddress } from './server-address.ts';

/** A cluster of servers, and how to sign in. */
export interface ServerTarget {
  readonly hosts: readonly HostAddress[];
  readonly user: string;
  readonly password: string | null;
  readonly database: string;
  /** Null is a connection in the clear. */
  readonly tls: ConnectionOptions | null;
}

/** What a connection is for: only a server that takes writes, or, where there is none, any that answers. */
type Purpose = 'write' | 'read';

/** A server that refuses writes: a replica, or one that was told so. */
const READ_ONLY_CODE = 'READ_ONLY';
/** What an error is called that has no code of its own: the connection ended, or was never made in time. */
const LOST_CODE = 'CONNECTION_LOST';

const CONNECT_MS = 2_000;
/** So long after the last byte a silent peer is asked whether it is there. */
const KEEP_ALIVE_MS = 10_000;
/** How long a server may take to close its side. */
const GOODBYE_MS = 500;
/** Those under the connections, which the library keeps to itself. */
const sockets = new WeakMap<Client, Socket>();

const IS_READ_ONLY = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS refuses`;
/**
 * Times as the server counts them, and how soon it notices that we are gone, also while it waits for a lock.
 */
const SESSION = `SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET client_connection_check_interval = 1000`;

/** Numbers of 64 bits stay exact: positions and times are far below 2^53. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): unknown =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
} as pg.CustomTypesConfig;

/**
 * Connects to servers of a target, beginning with the one that last did. A connection that is lost emits
 * nothing that has to be caught; its queries reject.
 */
export class Connector {
  readonly #target: ServerTarget;
  #first = 0;

  constructor(target: ServerTarget) {
    this.#target = target;
  }

  /**
   * A connection to the first server that serves the purpose. Rejects with an Error that has a `code`: that
   * of PostgreSQL or of the system.
   */
  async connect(purpose: Purpose): Promise<Client> {
    const { hosts } = this.#target;
    let spare: Client | null = null;
    let failure: unknown = null;
    for (let turn = 0; turn < hosts.length; turn += 1) {
      const place = (this.#first + turn) % hosts.length;
      const address = hosts[place];
      if (address === undefined) break;
      try {
        const { client, isReadOnly } = await this.#open(address);
        if (!isReadOnly) {
          this.#first = place;
          if (spare !== null) disconnect(spare);
          return client;
        }
        if (purpose === 'read' && spare === null) spare = client;
        else disconnect(client);
        failure ??= Object.assign(new Error('no server takes writes'), { code: READ_ONLY_CODE });
      } catch (error) {
        failure = error;
      }
    }
    if (spare === null) throw failure;
    return spare;
  }

  async #open({ host, port }: HostAddress): Promise<{ client: Client; isReadOnly: boolean }> {
    const { user, password, database, tls } = this.#target;
    const socket = new Socket();
    const client = new pg.Client({
      host,
      port,
      user,
      database,
      // Without one of ours the library would look for one in files and variables.
      password: password ?? '',
      ssl: tls ?? false,
      application_name: 'riskgate-history',
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      types,
      stream: () => socket,
    });
    sockets.set(client, socket);
    // The end of a connection says the same to those who use it.
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query({ text: SESSION, ...limit(CONNECT_MS) });
      const { rows } = await client.query<{ refuses: boolean }>({ text: IS_READ_ONLY, ...limit(CONNECT_MS) });
      return { client, isReadOnly: rows[0]?.refuses === true };
    } catch (error) {
      disconnect(client);
      throw error;
    }
  }
}

/** Ends a connection, also one whose peer is gone. What it was asked rejects. */
export function disconnect(client: Client): void {
  // Resolves when the peer has closed its side.
  void client.end();
  const socket = sockets.get(client);
  setTimeout(() => socket?.destroy(), GOODBYE_MS).unref();
}

/** Gives a query up after so long. Its connection is of no use then. */
export function limit(ms: number): object {
  return { query_timeout: ms };
}

/** The code of an error of PostgreSQL, of the system, or of a connection that is gone. */
export function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
  return typeof code === 'string' ? code : LOST_CODE;
}
