import { LRUCache } from 'lru-cache';
import {
  type ActivityChange,
  type ActivityEntity,
  type ActivityStore,
  CLAIM_DONE_MS,
  CLAIM_OPEN_MS,
  type Claim,
  type KnownActivity,
} from '../../application/activity/activity-store.ts';
import type { Clock } from '../../application/clock.ts';
import { KEPT_KINDS } from '../../domain/activity/activity-parts.ts';
import { ACTIVITY_LIFE_SECONDS } from '../../domain/activity/activity-signals.ts';
import { type ActivityState, count, createActivityState, see } from '../../domain/activity/activity-state.ts';
import { createForgottenKeys } from '../../platform/forgotten-keys.ts';
import { LazyLru, type Promotable } from '../../platform/lazy-lru.ts';
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
  claim(names: readonly string[]): readonly Claim[];
  forget(entities: readonly ActivityEntity[]): number;
}

interface HeldClaim {
  readonly claim: 'open' | 'done';
  /** Monotonic milliseconds. */
  readonly untilMs: number;
}

interface Entry extends ActivityState, Promotable {
  /** Monotonic milliseconds. */
  untilMs: number;
  /** Unix seconds. */
  lastSeconds: number;
}

/** At about 1 kB an entry this is 50 MB. */
const ENTRIES_MAX = 50_000;
const CLAIMS_MAX = 100_000;

/**
 * Builds an empty store, bounded by `entriesMax`. Of an entity that had to make room, windows are unknown that
 * reach before the latest activity of all that made room.
 */
export function createMemoryActivityStore(options: MemoryActivityStoreOptions): MemoryActivityStore {
  return new LruActivityStore(options);
}

class LruActivityStore implements MemoryActivityStore {
  readonly #clock: Clock;
  /** By the hash alone: equal texts as two parts have unrelated hashes. */
  readonly #entries: LazyLru<Entry>;
  readonly #claims: LRUCache<string, HeldClaim>;
  readonly #forgotten = createForgottenKeys();
  /** When the latest of those that had to make room was last active: all that is missing was before. */
  #forgottenSeconds = 0;

  constructor({ clock, entriesMax = ENTRIES_MAX, onFull }: MemoryActivityStoreOptions) {
    this.#clock = clock;
    this.#claims = new LRUCache(boundedTo(CLAIMS_MAX));
    this.#entries = new LazyLru({
      entriesMax,
      onEvicted: ({ untilMs, lastSeconds }, hash) => {
        const nowMs = clock.monotonicMs();
        if (untilMs <= nowMs) return;
        if (this.#forgotten.isEmpty(nowMs)) onFull?.();
        this.#forgotten.add(hash, untilMs, nowMs);
        this.#forgottenSeconds = Math.max(this.#forgottenSeconds, lastSeconds);
      },
    });
  }

  take(change: ActivityChange): KnownActivity {
    return this.#change(change, this.#clock.monotonicMs(), this.#clock.nowMs());
  }

  #change(
    { entity, values, acceptance, measures, atSeconds }: ActivityChange,
    monotonicMs: number,
    wallMs: number,
  ): KnownActivity {
    const seconds = atSeconds ?? Math.floor(wallMs / 1000);
    const state = this.#entryOf(entity, monotonicMs, seconds);
    for (const kind of KEPT_KINDS[entity.part]) {
      const name = values[kind] ?? null;
      if (name !== null) see(state, kind, name, seconds, acceptance);
    }
    for (const measure of measures) count(state, measure, seconds);
    return { state, sinceSeconds: state.sinceSeconds };
  }

  add(changes: readonly ActivityChange[]): void {
    const [monotonicMs, wallMs] = [this.#clock.monotonicMs(), this.#clock.nowMs()];
    for (const change of changes) this.#change(change, monotonicMs, wallMs);
  }

  addNow(changes: readonly ActivityChange[]): true {
    this.add(changes);
    return true;
  }

  claim(names: readonly string[]): readonly Claim[] {
    const nowMs = this.#clock.monotonicMs();
    return names.map((name) => {
      const held = this.#claims.get(name);
      if (held !== undefined && nowMs < held.untilMs) return held.claim;
      this.#claims.set(name, { claim: 'open', untilMs: nowMs + CLAIM_OPEN_MS });
      return 'new';
    });
  }

  settle(names: readonly string[]): undefined {
    const untilMs = this.#clock.monotonicMs() + CLAIM_DONE_MS;
    for (const name of names) this.#claims.set(name, { claim: 'done', untilMs });
    return undefined;
  }

  unclaim(names: readonly string[]): undefined {
    // It may have lapsed, and another may have made it and settled it.
    for (const name of names) if (this.#claims.get(name)?.claim === 'open') this.#claims.delete(name);
    return undefined;
  }

  forget(entities: readonly ActivityEntity[]): number {
    return entities.filter(({ hash }) => this.#entries.delete(hash)).length;
  }

  #entryOf(entity: ActivityEntity, nowMs: number, nowSeconds: number): Entry {
    const untilMs = nowMs + ACTIVITY_LIFE_SECONDS[entity.part] * 1000;
    const held = this.#entries.get(entity.hash);
    if (held !== undefined && nowMs < held.untilMs) {
      held.untilMs = untilMs;
      held.lastSeconds = Math.max(nowSeconds, held.lastSeconds);
      return held;
    }
    const sinceSeconds = this.#forgotten.mayHave(entity.hash, nowMs) ? this.#forgottenSeconds : 0;
    const state = createActivityState(nowSeconds, sinceSeconds);
    const entry = { ...state, untilMs, lastSeconds: nowSeconds, promotedAt: 0 };
    this.#entries.set(entity.hash, entry);
    return entry;
  }
}
