import { LRUCache } from 'lru-cache';
import type {
  ActivityChange,
  ActivityEntity,
  ActivityStore,
  KnownActivity,
} from '../../application/activity/activity-store.ts';
import type { Clock } from '../../application/clock.ts';
import { ACTIVITY_LIFE_SECONDS } from '../../domain/activity/activity-signals.ts';
import { type ActivityState, count, createActivityState, see } from '../../domain/activity/activity-state.ts';
import { createForgottenKeys } from '../../platform/forgotten-keys.ts';
import { boundedTo } from '../../platform/lru-bound.ts';

interface MemoryActivityStoreOptions {
  readonly clock: Clock;
  /** At least 1. What was active longest ago makes room for what is new. */
  readonly entriesMax?: number;
  /** Called when activity first had to go before its time, and again only after all that went has run out. */
  readonly onFull?: () => void;
}

/**
 * The in-process store: every answer is at hand. It alone serves a single replica, and begins with each start
 * of the process.
 */
interface MemoryActivityStore extends ActivityStore {
  take(change: ActivityChange): KnownActivity;
  addNow(changes: readonly ActivityChange[]): true;
  claim(names: readonly string[]): readonly boolean[];
  forget(entities: readonly ActivityEntity[]): number;
}

interface Entry {
  readonly state: ActivityState;
  /** Monotonic milliseconds. */
  untilMs: number;
}

const ENTRIES_MAX = 200_000;
const CLAIMS_MAX = 100_000;
const CLAIM_LIFE_MS = 86_400_000;

/**
 * Builds an empty store, bounded by `entriesMax`. Of an entity that had to make room, windows that reach before
 * its return are unknown.
 */
export function createMemoryActivityStore(options: MemoryActivityStoreOptions): MemoryActivityStore {
  return new LruActivityStore(options);
}

class LruActivityStore implements MemoryActivityStore {
  readonly #clock: Clock;
  readonly #entries: LRUCache<string, Entry>;
  /** Until when, in monotonic milliseconds. */
  readonly #claims: LRUCache<string, number>;
  readonly #forgotten = createForgottenKeys();

  constructor({ clock, entriesMax = ENTRIES_MAX, onFull }: MemoryActivityStoreOptions) {
    this.#clock = clock;
    this.#claims = new LRUCache(boundedTo(CLAIMS_MAX));
    this.#entries = new LRUCache({
      ...boundedTo(entriesMax),
      dispose: ({ untilMs }, key, reason) => {
        const nowMs = clock.monotonicMs();
        if (reason !== 'evict' || untilMs <= nowMs) return;
        if (this.#forgotten.isEmpty(nowMs)) onFull?.();
        this.#forgotten.add(hashIn(key), untilMs, nowMs);
      },
    });
  }

  take({ entity, values, acceptance, measures }: ActivityChange): KnownActivity {
    const nowMs = this.#clock.monotonicMs();
    const nowSeconds = Math.floor(this.#clock.nowMs() / 1000);
    const { state } = this.#entryOf(entity, nowMs, nowSeconds);
    for (const value of values) see(state, value, nowSeconds, acceptance);
    for (const measure of measures) count(state, measure, nowSeconds);
    return { state, sinceSeconds: state.sinceSeconds };
  }

  add(changes: readonly ActivityChange[]): void {
    for (const change of changes) this.take(change);
  }

  addNow(changes: readonly ActivityChange[]): true {
    this.add(changes);
    return true;
  }

  claim(names: readonly string[]): readonly boolean[] {
    const nowMs = this.#clock.monotonicMs();
    return names.map((name) => {
      if (nowMs < (this.#claims.get(name) ?? 0)) return false;
      this.#claims.set(name, nowMs + CLAIM_LIFE_MS);
      return true;
    });
  }

  unclaim(names: readonly string[]): undefined {
    for (const name of names) this.#claims.delete(name);
    return undefined;
  }

  forget(entities: readonly ActivityEntity[]): number {
    return entities.filter((entity) => this.#entries.delete(keyOf(entity))).length;
  }

  #entryOf(entity: ActivityEntity, nowMs: number, nowSeconds: number): Entry {
    const key = keyOf(entity);
    const untilMs = nowMs + ACTIVITY_LIFE_SECONDS[entity.part] * 1000;
    const held = this.#entries.get(key);
    if (held !== undefined && nowMs < held.untilMs) {
      held.untilMs = untilMs;
      return held;
    }
    const isForgotten = this.#forgotten.mayHave(entity.hash, nowMs);
    const entry = { state: createActivityState(nowSeconds, isForgotten ? nowSeconds : 0), untilMs };
    this.#entries.set(key, entry);
    return entry;
  }
}

/** One letter, and the hash. */
function keyOf({ part, hash }: ActivityEntity): string {
  return part[0] + hash;
}

function hashIn(key: string): string {
  return key.slice(1);
}
