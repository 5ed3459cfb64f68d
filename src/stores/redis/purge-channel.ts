import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { RedisConnection } from './connection.ts';
import { redisErrorCode } from './error-code.ts';
import { parsePurgeMessage, toPurgeMessage } from './purge-message.ts';

interface PurgeChannelOptions {
  /** A connection of its own. */
  readonly connection: RedisConnection<Redis>;
  readonly channel: string;
  /**
   * Publishes a text on the channel, over the connection for commands. False where that may not have been
   * done; never rejects.
   */
  readonly publish: (text: string) => Promise<boolean>;
  /** Keys that another replica purged. */
  readonly onPurged: (keys: readonly string[]) => void;
  /**
   * Called each time a subscription begins, the first one included: purges before that moment may have been
   * missed.
   */
  readonly onSubscribed: () => void;
  /** Called when a subscription ends or cannot be had, once until the next one begins. */
  readonly onUnsubscribed: (reason: string) => void;
  /** A message that is not one of ours. */
  readonly onMessageRefused: () => void;
}

/**
 * Listens for purges made on other replicas. It subscribes again by itself whenever it lost its connection,
 * and when it does not receive what it publishes itself: the two connections then lead to different servers.
 */
export interface PurgeChannel {
  isSubscribed(): boolean;
  /** The text that tells other replicas, and that this one will not take for a purge of another. */
  toMessage(keys: readonly string[]): string;
  /** Connects again, unless that was done a moment ago: the server that was listened to serves nothing. */
  renew(code: string): void;
  /** Finds out whether what is published now is received here, and connects again where it is not. */
  check(): void;
  close(): Promise<void>;
}

/**
 * An idle connection whose peer vanished looks healthy; a PING this often finds out, and tries again where
 * subscribing was refused.
 */
const HEARTBEAT_MS = 5_000;
/** A message takes a round trip; this is for one that never comes. */
const ECHO_WAIT_MS = 1_000;

/** The reason of a subscription that does not bring what is published. */
const NOT_RECEIVED = 'not_received';

/** Starts listening; returns at once, server or no server. */
export function createPurgeChannel(options: PurgeChannelOptions): PurgeChannel {
  return new RedisPurgeChannel(options);
}

class RedisPurgeChannel implements PurgeChannel {
  readonly #options: PurgeChannelOptions;
  readonly #connection: RedisConnection<Redis>;
  readonly #sender = randomUUID();
  readonly #heartbeat: NodeJS.Timeout;
  /** Set while a message of our own is on its way. */
  #echoTimer: NodeJS.Timeout | undefined;
  #state: 'unknown' | 'subscribed' | 'unsubscribed' = 'unknown';

  constructor(options: PurgeChannelOptions) {
    this.#options = options;
    this.#connection = options.connection;
    const { redis } = options.connection;
    this.#connection.onReady(() => void this.#subscribe());
    this.#connection.onLost(() => this.#lose(this.#connection.lastErrorCode() ?? 'connection_closed'));
    redis.on('message', (_channel: string, text: string) => this.#receive(text));
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS).unref();
  }

  isSubscribed(): boolean {
    return this.#state === 'subscribed';
  }

  toMessage(keys: readonly string[]): string {
    return toPurgeMessage(this.#sender, keys);
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#endEcho();
    // An end on purpose is not reported.
    this.#state = 'unsubscribed';
    await this.#connection.close();
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#connection.redis.subscribe(this.#options.channel);
      this.#state = 'subscribed';
      this.#options.onSubscribed();
    } catch (error) {
      this.#lose(redisErrorCode(error));
    }
  }

  renew(code: string): void {
    this.#connection.renew(code);
  }

  check(): void {
    if (this.isSubscribed() && this.#echoTimer === undefined) void this.#awaitEcho();
  }

  async #awaitEcho(): Promise<void> {
    // What has arrived by then is read first: this process may have been busy.
    this.#echoTimer = setTimeout(() => setImmediate(() => this.#missEcho()), ECHO_WAIT_MS).unref();
    if (!(await this.#options.publish(this.toMessage([])))) this.#endEcho();
  }

  #missEcho(): void {
    if (this.#echoTimer === undefined) return;
    this.#endEcho();
    this.#lose(NOT_RECEIVED);
    this.#connection.renew(NOT_RECEIVED);
  }

  #endEcho(): void {
    clearTimeout(this.#echoTimer);
    this.#echoTimer = undefined;
  }

  async #beat(): Promise<void> {
    if (!this.#connection.isReady()) return;
    if (!this.isSubscribed()) return this.#subscribe();
    this.check();
    try {
      await this.#connection.redis.ping();
    } catch {
      // The socket timeout that this PING started ends the connection, and its close handler does the rest.
    }
  }

  #lose(reason: string): void {
    this.#endEcho();
    if (this.#state === 'unsubscribed') return;
    this.#state = 'unsubscribed';
    this.#options.onUnsubscribed(reason);
  }

  #receive(text: string): void {
    const message = parsePurgeMessage(text);
    if (message === null) this.#options.onMessageRefused();
    else if (message.sender === this.#sender) this.#endEcho();
    else if (message.keys.length > 0) this.#options.onPurged(message.keys);
  }
}
