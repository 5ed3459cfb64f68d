import type { Cluster, Redis } from 'ioredis';

/** What commands are sent through: one server, or a cluster that spreads them by their keys. */
export type RedisClient = Redis | Cluster;

/** A connection, or those to the nodes of a cluster, made again and again for as long as it is not closed. */
export interface RedisConnection<Client extends RedisClient = RedisClient> {
  readonly redis: Client;
  /**
   * True where several servers answer, each for the slots of its own, and not in the order of the commands.
   */
  readonly isCluster: boolean;
  /** Calls `send`, and lets what that sends leave together, in one write to each server. */
  inOneWrite(send: () => void): void;
  isReady(): boolean;
  /**
   * The code of the latest connection or handshake error since the connection was last ready; null without
   * one.
   */
  lastErrorCode(): string | null;
  /** Calls back each time commands can be sent. */
  onReady(listener: () => void): void;
  /** Calls back each time that is over, and each time an attempt to get there failed. */
  onLost(listener: () => void): void;
  /** Calls back when a part of it may be lost: only `probe` can tell. */
  onDoubt(listener: () => void): void;
  /**
   * Asks whether commands would be served: by the server of the target's kind, in its database, one that
   * takes writes, or by the owner of every slot. Rejects like every command.
   */
  probe(): Promise<void>;
  /**
   * Makes the connection again, unless that was done a moment ago: what its name leads to may be another
   * server by now. `code` says what was refused.
   */
  renew(code: string): void;
  /** Says goodbye and disconnects, within about a second whatever the server does. Never rejects. */
  close(): Promise<void>;
}
