import type { Clock } from '../../application/clock.ts';
import type { StoredEvidence } from '../../application/evidence/evidence-store.ts';
import type { Evidence } from '../../domain/evidence.ts';
import { LazyLru, type Promotable } from '../../platform/lazy-lru.ts';
import type { ClosableEvidenceStore, StoreHealth, StoreUsage } from './closable-evidence-store.ts';
import { isSettled, remainingLifeMs } from './remaining-life.ts';

interface MemoryEvidenceStoreOptions {
  readonly clock: Clock;
  /** At least 1. The least recently used entry makes room for a new one. */
  readonly entriesMax?: number;
  /**
   * The longest time an entry is kept whatever its evidence says: the staleness bound of this level in front
   * of a shared one. Without it the evidence alone decides.
   */
  readonly ttlCapMs?: number;
}

/** The in-process store: every answer is at hand, so `get` never returns a promise. */
export interface MemoryEvidenceStore extends ClosableEvidenceStore {
  get(key: string): StoredEvidence | null;
  /** As `get`: who asks within one process is known without a store. */
  getOrClaim(key: string): StoredEvidence | null;
  /** What `get` would return, without counting as a read. */
  peek(key: string): StoredEvidence | null;
  /** Forgets everything, without calling the purge listeners: nothing was purged. */
  clear(): void;
}

/**
 * It ends by whichever clock says so first: a wall clock that is set back must not keep evidence alive, and a
 * monotonic one may stand still while the machine sleeps.
 */
interface Entry extends Promotable {
  readonly stored: StoredEvidence;
  readonly usableUntilMs: number;
  readonly usableUntilMonotonicMs: number;
}

/** At about 1 KiB an entry this is 50 MB. */
const ENTRIES_MAX = 50_000;
const HEALTH: StoreHealth = { state: 'up', reason: null, receivesPurges: true };

/**
 * Builds an empty in-process store, bounded by `entriesMax`. It alone serves a single replica; others do not
 * receive its purges.
 */
export function createMemoryEvidenceStore(options: MemoryEvidenceStoreOptions): MemoryEvidenceStore {
  return new LruEvidenceStore(options);
}

class LruEvidenceStore implements MemoryEvidenceStore {
  readonly #clock: Clock;
  readonly #ttlCapMs: number;
  readonly #entries: LazyLru<Entry>;
  readonly #purgeListeners: ((keys: readonly string[]) => void)[] = [];
  #hits = 0;
  #misses = 0;

  constructor(options: MemoryEvidenceStoreOptions) {
    this.#clock = options.clock;
    this.#ttlCapMs = options.ttlCapMs ?? Number.POSITIVE_INFINITY;
    this.#entries = new LazyLru({ entriesMax: options.entriesMax ?? ENTRIES_MAX });
  }

  get(key: string): StoredEvidence | null {
    const stored = this.peek(key);
    if (stored === null) this.#misses += 1;
    else this.#hits += 1;
    return stored;
  }

  getOrClaim(key: string): StoredEvidence | null {
    return this.get(key);
  }

  release(): void {}

  peek(key: string): StoredEvidence | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    const isUsable =
      this.#clock.nowMs() < entry.usableUntilMs && this.#clock.monotonicMs() < entry.usableUntilMonotonicMs;
    if (isUsable) return entry.stored;
    this.#entries.delete(key);
    return null;
  }

  set(key: string, evidence: Evidence): void {
    const nowMs = this.#clock.nowMs();
    const lifeMs = Math.min(remainingLifeMs(evidence, nowMs), this.#ttlCapMs);
    if (lifeMs <= 0) {
      if (isSettled(evidence.outcome)) this.#entries.delete(key);
      return;
    }
    this.#entries.set(key, {
      stored: { evidence, level: 'memory' },
      usableUntilMs: nowMs + lifeMs,
      usableUntilMonotonicMs: this.#clock.monotonicMs() + lifeMs,
      promotedAt: 0,
    });
  }

  async purge(keys: readonly string[]): Promise<boolean> {
    for (const key of keys) this.#entries.delete(key);
    for (const listener of this.#purgeListeners) listener(keys);
    return true;
  }

  onPurge(listener: (keys: readonly string[]) => void): void {
    this.#purgeListeners.push(listener);
  }

  clear(): void {
    this.#entries.clear();
  }

  health(): StoreHealth {
    return HEALTH;
  }

  usage(): readonly StoreUsage[] {
    return [{ level: 'memory', hits: this.#hits, misses: this.#misses, skipped: 0, failures: null }];
  }

  async close(): Promise<void> {
    this.#entries.clear();
  }
}
