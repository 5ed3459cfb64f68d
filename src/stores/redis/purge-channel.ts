import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { RedisConnection } from './connection.ts';
import { redisErrorCode } from './error-code.ts';
import { parsePurgeMessage, toPurgeMessage } from './purge-message.ts';

export interface PurgeChannelOptions {
  /** A connection of its own. */
  readonly connection: RedisConnection<Redis>;
  readonly channel: string;
  /** Keys that another replica purged. */
  readonly onPurged: (keys: readonly string[]) => void;
  /** Called each time a subscription begins, the first one included: purges before that moment may have been missed. */
  readonly onSubscribed: () => void;
  /** Called when a subscription ends or cannot be had, once until the next one begins. */
  readonly onUnsubscribed: (reason: string) => void;
  /** A message that is not one of ours. */
  readonly onMessageRefused: () => void;
}

/** The ear for purges made on other replicas. It subscribes again by itself whenever it lost its connection. */
export interface PurgeChannel {
  isSubscribed(): boolean;
  /** The text that tells other replicas, and that this one will not take for news. */
  toMessage(keys: readonly string[]): string;
  close(): Promise<void>;
}

/** An idle connection whose peer vanished looks healthy; a PING this often finds out, and tries again where subscribing was refused. */
const HEARTBEAT_MS = 5_000;

/** Starts listening; returns at once, server or no server. */
export function createPurgeChannel(options: PurgeChannelOptions): PurgeChannel {
  return new RedisPurgeChannel(options);
}

class RedisPurgeChannel implements PurgeChannel {
  readonly #options: PurgeChannelOptions;
  readonly #connection: RedisConnection<Redis>;
  readonly #sender = randomUUID();
  readonly #heartbeat: NodeJS.Timeout;
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
    // An end on purpose is no news.
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

  async #beat(): Promise<void> {
    if (!this.#connection.isReady()) return;
    if (!this.isSubscribed()) return this.#subscribe();
    try {
      await this.#connection.redis.ping();
    } catch {
      // The socket timeout that this PING started ends the connection, and its close handler does the rest.
    }
  }

  #lose(reason: string): void {
    if (this.#state === 'unsubscribed') return;
    this.#state = 'unsubscribed';
    this.#options.onUnsubscribed(reason);
  }

  #receive(text: string): void {
    const message = parsePurgeMessage(text);
    if (message === null) this.#options.onMessageRefused();
    else if (message.sender !== this.#sender) this.#options.onPurged(message.keys);
  }
}
