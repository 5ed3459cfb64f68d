import { LRUCache } from 'lru-cache';
import type { StoredEvidence, StoreReading } from '../../application/evidence/evidence-store.ts';
import type { Evidence } from '../../domain/evidence.ts';
import { boundedTo } from '../../platform/lru-bound.ts';
import type { ClosableEvidenceStore, StoreHealth, StoreUsage } from './closable-evidence-store.ts';
import type { MemoryEvidenceStore } from './memory-store.ts';
import type { RedisEvidenceStore } from './redis-store.ts';
import { isSettled } from './remaining-life.ts';

interface TieredEvidenceStoreOptions {
  /**
   * The level in front. Give it a `ttlCapMs`: the longest time for which this replica may serve evidence
   * whose purge it missed.
   */
  readonly memory: MemoryEvidenceStore;
  /** The level that replicas share. */
  readonly redis: RedisEvidenceStore;
}

/** Answers that Redis may not have, remembered to refuse what is older. About 2 MB. */
const UNWRITTEN_MAX = 10_000;

/**
 * Puts memory in front of Redis as one store, which owns both. What was purged on any replica does not come
 * back through either level, and neither does what is older than an answer that was set here.
 */
export function createTieredEvidenceStore(options: TieredEvidenceStoreOptions): ClosableEvidenceStore {
  return new TieredEvidenceStore(options);
}

class TieredEvidenceStore implements ClosableEvidenceStore {
  readonly #memory: MemoryEvidenceStore;
  readonly #redis: RedisEvidenceStore;
  /** Counts the moments at which evidence on its way from Redis may have become void. */
  #generation = 0;
  /** The latest settled answer of each key that Redis has not confirmed. */
  readonly #unwritten = new LRUCache<string, Pick<Evidence, 'observedAtMs'>>(boundedTo(UNWRITTEN_MAX));

  constructor(options: TieredEvidenceStoreOptions) {
    this.#memory = options.memory;
    this.#redis = options.redis;
    this.#redis.onPurge((keys) => {
      this.#generation += 1;
      void this.#memory.purge(keys);
    });
    this.#redis.onMissedPurges(() => {
      this.#generation += 1;
      this.#memory.clear();
    });
    // The purge itself may have been missed here; the refusal says that there was one.
    this.#redis.onWriteRefused((key) => void this.#memory.purge([key]));
  }

  get(key: string): StoredEvidence | null | Promise<StoredEvidence | null> {
    const held = this.#memory.get(key);
    if (held !== null) return held;
    const pending = this.#redis.get(key);
    return pending === null ? null : this.#fill(key, pending, this.#generation);
  }

  getOrClaim(key: string, claimMs: number): StoreReading | Promise<StoreReading> {
    // A poll for what another replica asks: memory has missed it already.
    const held = claimMs === 0 ? this.#memory.peek(key) : this.#memory.get(key);
    if (held !== null) return held;
    const pending = this.#redis.getOrClaim(key, claimMs);
    return pending === null ? null : this.#fill(key, pending, this.#generation);
  }

  release(key: string): void {
    this.#redis.release(key);
  }

  set(key: string, evidence: Evidence): void {
    this.#memory.set(key, evidence);
    const writing = this.#redis.write(key, evidence);
    if (isSettled(evidence.outcome)) void this.#noteUntilWritten(key, evidence.observedAtMs, writing);
  }

  purge(keys: readonly string[]): Promise<boolean> {
    // Memory is purged by the listener, which Redis calls first and in any case.
    return this.#redis.purge(keys);
  }

  onPurge(listener: (keys: readonly string[]) => void): void {
    // Registered after this store's own listener, so that memory is clean when it is called.
    this.#redis.onPurge(listener);
  }

  health(): StoreHealth {
    return this.#redis.health();
  }

  usage(): readonly StoreUsage[] {
    return [...this.#memory.usage(), ...this.#redis.usage()];
  }

  async close(): Promise<void> {
    await Promise.all([this.#memory.close(), this.#redis.close()]);
  }

  /**
   * A purge of whatever key while the read was under way makes it a miss: purges are rare, and asking again
   * is cheap.
   */
  async #fill<Reading extends StoreReading>(
    key: string,
    pending: Promise<Reading | null>,
    generation: number,
  ): Promise<Reading | StoredEvidence | null> {
    const found = await pending;
    if (found === null || generation !== this.#generation) return null;
    if (!('evidence' in found)) return found;
    // A call that ended meanwhile may have set something newer.
    const held = this.#memory.peek(key);
    if (held !== null && held.evidence.observedAtMs >= found.evidence.observedAtMs) return held;
    const unwritten = this.#unwritten.get(key);
    if (unwritten !== undefined && found.evidence.observedAtMs <= unwritten.observedAtMs) return null;
    this.#memory.set(key, found.evidence);
    return found;
  }

  async #noteUntilWritten(key: string, observedAtMs: number, writing: Promise<boolean>): Promise<void> {
    const answer = { observedAtMs };
    this.#unwritten.set(key, answer);
    if (!(await writing)) return;
    // A read that Redis answered before the write may have arrived with it, and not be looked at yet.
    setImmediate(() => {
      if (this.#unwritten.get(key) === answer) this.#unwritten.delete(key);
    });
  }
}
