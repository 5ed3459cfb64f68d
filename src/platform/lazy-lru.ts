import { LRUCache } from 'lru-cache';
import { boundedTo } from './lru-bound.ts';

/** What a LazyLru keeps. It alone changes the field. */
export interface Promotable {
  /** How many entries had been added when it was last moved to the front; 0 before it is added. */
  promotedAt: number;
}

interface LazyLruOptions<Value> {
  /** At least 1. */
  readonly entriesMax: number;
  /** Called with what has to make room for another, and with nothing else that goes. */
  readonly onEvicted?: (value: Value, key: string) => void;
}

/** The parts of the cache of which less than one is added before an entry that is used moves again. */
const PARTS = 4;

/**
 * A bounded cache in which the one that was used longest ago makes room, with lazy promotion: an entry that is
 * used moves to the front only when almost a quarter of the cache was added since it last did. While nothing is
 * added, a read moves nothing: a move reads and writes six places of large arrays, which cost more than the rest
 * of a read when many entries are in use.
 *
 * The order is as exact as that: each entry that stays was used later than the one that makes room, or so shortly
 * before that less than a quarter of the cache was added between. Up to seven entries are kept in exact order.
 */
export class LazyLru<Value extends Promotable> {
  readonly #cache: LRUCache<string, Value>;
  readonly #patience: number;
  /** lru-cache makes an object of its own for each call that brings none. */
  readonly #options: LRUCache.PeekOptions<string, Value, unknown> = {};
  #added = 0;

  constructor({ entriesMax, onEvicted }: LazyLruOptions<Value>) {
    this.#patience = Math.max(0, Math.floor(entriesMax / PARTS) - 1);
    this.#cache = new LRUCache({
      ...boundedTo(entriesMax),
      ...(onEvicted !== undefined && {
        dispose: (value: Value, key: string, reason: string) => {
          if (reason === 'evict') onEvicted(value, key);
        },
      }),
    });
  }

  get(key: string): Value | undefined {
    const value = this.#cache.peek(key, this.#options);
    if (value === undefined || this.#added - value.promotedAt < this.#patience) return value;
    value.promotedAt = this.#added;
    return this.#cache.get(key);
  }

  /** What `get` would return; it does not count as a use. */
  peek(key: string): Value | undefined {
    return this.#cache.peek(key, this.#options);
  }

  set(key: string, value: Value): void {
    this.#added += 1;
    value.promotedAt = this.#added;
    this.#cache.set(key, value);
  }

  /** True where it was there. */
  delete(key: string): boolean {
    return this.#cache.delete(key);
  }

  clear(): void {
    this.#cache.clear();
  }
}
