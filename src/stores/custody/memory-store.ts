import type { Clock } from '../../application/clock.ts';
import type { CustodyName, CustodyStore } from '../../application/custody/custody-store.ts';
import { type CustodyBinding, type CustodyRecord, useBinding } from '../../domain/custody.ts';
import { createForgottenKeys } from '../../platform/forgotten-keys.ts';
import { LazyLru, type Promotable } from '../../platform/lazy-lru.ts';
import { briefLifeMs, custodyLifeMs } from './custody-life.ts';

interface MemoryCustodyStoreOptions {
  readonly clock: Clock;
  /** A binding that is to be kept is so for at least this long after its latest use. */
  readonly retentionMs: number;
  /** At least 1. The binding that was used longest ago makes room for a new one. */
  readonly entriesMax?: number;
  /**
   * Called when a binding first had to go before its time, and again only after all that went so have run
   * out.
   */
  readonly onFull?: () => void;
}

/**
 * The in-process store: every answer is at hand. It alone serves a single replica, and a restart forgets
 * everything.
 */
interface MemoryCustodyStore extends CustodyStore {
  use(names: readonly CustodyName[]): CustodyRecord | null;
  /** Milliseconds for which a binding is still kept; null where there is none. */
  lifeMs(key: string): number | null;
}

interface Entry extends Promotable {
  binding: CustodyBinding;
  /** Monotonic milliseconds: a wall clock that jumps ahead must not make the next use a first one. */
  untilMs: number;
}

/** At about 350 bytes an entry this is 70 MB. */
const ENTRIES_MAX = 200_000;

/**
 * Builds an empty store, bounded by `entriesMax`. A telemetry id whose binding had to make room is unknown
 * until it would have run out: it is never taken for new.
 */
export function createMemoryCustodyStore(options: MemoryCustodyStoreOptions): MemoryCustodyStore {
  return new LruCustodyStore(options);
}

class LruCustodyStore implements MemoryCustodyStore {
  readonly #clock: Clock;
  readonly #retentionMs: number;
  readonly #entries: LazyLru<Entry>;
  readonly #forgotten = createForgottenKeys();
  /**
   * Those that nobody had asked to keep, apart from the others: a trickle of forged ids must not fill a
   * memory that real ids keep for their whole life.
   */
  readonly #brieflyForgotten = createForgottenKeys();

  constructor({ clock, retentionMs, entriesMax = ENTRIES_MAX, onFull }: MemoryCustodyStoreOptions) {
    this.#clock = clock;
    this.#retentionMs = retentionMs;
    this.#entries = new LazyLru({
      entriesMax,
      onEvicted: ({ binding, untilMs }, key) => {
        const nowMs = clock.monotonicMs();
        if (untilMs <= nowMs) return;
        if (this.#forgotten.isEmpty(nowMs) && this.#brieflyForgotten.isEmpty(nowMs)) onFull?.();
        (binding.isKept ? this.#forgotten : this.#brieflyForgotten).add(key, untilMs, nowMs);
      },
    });
  }

  /**
   * By the first name alone: a process has the same keys from its start to its end, and remembers nothing of
   * another.
   */
  use([name]: readonly CustodyName[]): CustodyRecord | null {
    if (name === undefined) return null;
    const { key, user } = name;
    const nowMs = this.#clock.monotonicMs();
    const entry = this.#entries.get(key);
    const isHeld = entry !== undefined && nowMs < entry.untilMs;
    if (!isHeld && this.#hasForgotten(key, nowMs)) return null;
    const { binding, record } = useBinding(isHeld ? entry.binding : null, user, this.#clock.nowMs());
    const untilMs = nowMs + (binding.isKept ? this.#retentionMs : briefLifeMs(this.#retentionMs));
    if (isHeld) {
      entry.binding = binding;
      entry.untilMs = Math.max(entry.untilMs, untilMs);
    } else this.#entries.set(key, { binding, untilMs, promotedAt: 0 });
    return record;
  }

  lifeMs(key: string): number | null {
    const entry = this.#entries.peek(key);
    const lifeMs = entry === undefined ? 0 : entry.untilMs - this.#clock.monotonicMs();
    return lifeMs > 0 ? lifeMs : null;
  }

  keep([key = '']: readonly string[], validUntilMs: number | null): void {
    const entry = this.#entries.peek(key);
    const nowMs = this.#clock.monotonicMs();
    const lifeMs = custodyLifeMs(this.#retentionMs, validUntilMs, this.#clock.nowMs());
    if (entry === undefined || entry.untilMs <= nowMs) {
      // It had to make room since its use: it is to be unknown for its whole life, as a kept one is.
      if (this.#brieflyForgotten.mayHave(key, nowMs)) this.#forgotten.add(key, nowMs + lifeMs, nowMs);
      return;
    }
    const { binding } = entry;
    entry.binding = { ...binding, isKept: true, validUntilMs: validUntilMs ?? binding.validUntilMs };
    entry.untilMs = Math.max(entry.untilMs, nowMs + lifeMs);
  }

  forget([key = '']: readonly string[]): number {
    const isHeld = this.lifeMs(key) !== null;
    this.#entries.delete(key);
    return isHeld ? 1 : 0;
  }

  #hasForgotten(key: string, nowMs: number): boolean {
    return this.#forgotten.mayHave(key, nowMs) || this.#brieflyForgotten.mayHave(key, nowMs);
  }
}
