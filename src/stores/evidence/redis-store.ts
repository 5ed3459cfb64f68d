import { randomUUID } from 'node:crypto';
import type { Clock } from '../../application/clock.ts';
import type { StoredEvidence, StoreReading } from '../../application/evidence/evidence-store.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { RedisGuardCounters } from '../redis/guard.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { createTurnBatch } from '../redis/turn-batch.ts';
import type { ClosableEvidenceStore, StoreHealth, StoreUsage } from './closable-evidence-store.ts';
import { CLAIM_PREFIX, claimsOf, encodeEvidence, isClaim, TOMBSTONE } from './evidence-codec.ts';
import { defineEvidenceCommands, type EvidenceRedis } from './evidence-commands.ts';
import { createEvidenceMemo } from './evidence-memo.ts';
import { createRedisPurges, type RedisPurges } from './redis-purges.ts';
import { isSettled, remainingLifeMs } from './remaining-life.ts';

/** Where evidence is kept, and within which bounds. */
export interface RedisEvidenceStoreOptions {
  /** Its owner closes it. */
  readonly redis: RedisHandle;
  readonly clock: Clock;
  /**
   * How long a purged key refuses evidence: longer than any upstream call, so that one which began before the
   * purge cannot undo it.
   */
  readonly tombstoneMs?: number;
}

/** Totals since the start. */
interface RedisStoreCounters extends RedisGuardCounters {
  /** Reads answered with a miss, and writes left out, while Redis was left alone. */
  readonly skipped: number;
  /** Values found that are not what their key promises. */
  readonly valuesRefused: number;
  /** Writes refused because the key was purged a moment ago. */
  readonly writesRefused: number;
}

/** A read that claims what it does not find. */
interface ClaimingRead {
  readonly key: string;
  readonly claimMs: number;
}

/** The store that replicas share. */
export interface RedisEvidenceStore extends ClosableEvidenceStore {
  /** Null at once while Redis is left alone, else a promise that settles within the budget. */
  get(key: string): null | Promise<StoredEvidence | null>;
  /** Null at once while Redis is left alone, else a promise that settles within the budget. */
  getOrClaim(key: string, claimMs: number): null | Promise<StoreReading>;
  /** As `set`. True once Redis has nothing older than this settled answer; never rejects. */
  write(key: string, evidence: Evidence): Promise<boolean>;
  /**
   * Calls back whenever purges of other replicas may have been missed, the first subscription included:
   * whatever is held in memory may have been purged.
   */
  onMissedPurges(listener: () => void): void;
  /**
   * Calls back with a key whose evidence was refused because it had just been purged: what is held for it in
   * memory may predate that purge.
   */
  onWriteRefused(listener: (key: string) => void): void;
  counters(): RedisStoreCounters;
}

/** Half as long again as the longest deadline a decision can have (10 s). */
const TOMBSTONE_MS = 15_000;

/**
 * Sends its commands over the handle, and receives purges over a connection of its own. A Redis that is down
 * is a store that misses.
 */
export function createRedisEvidenceStore(options: RedisEvidenceStoreOptions): RedisEvidenceStore {
  return new SharedEvidenceStore(options);
}

class SharedEvidenceStore implements RedisEvidenceStore {
  readonly #clock: Clock;
  /** One for the process: its callers know of each other without Redis. */
  readonly #ownClaims = claimsOf(randomUUID());
  #claimCount = 0;
  readonly #handle: RedisHandle;
  readonly #redis: EvidenceRedis;
  readonly #decodeEvidence = createEvidenceMemo();
  readonly #readOrClaim: (read: ClaimingRead) => Promise<StoreReading>;
  readonly #purges: RedisPurges;
  readonly #writeRefusedListeners: ((key: string) => void)[] = [];
  readonly #counters = { skipped: 0, valuesRefused: 0, writesRefused: 0 };
  readonly #reads = { hits: 0, misses: 0, skipped: 0 };

  constructor(options: RedisEvidenceStoreOptions) {
    this.#clock = options.clock;
    this.#handle = options.redis;
    this.#redis = defineEvidenceCommands(options.redis.client);
    this.#purges = createRedisPurges(options.redis, options.tombstoneMs ?? TOMBSTONE_MS);
    // The keys of evidence are spread over all slots of a cluster: nothing there could share a call.
    this.#readOrClaim = options.redis.isCluster
      ? (read) => this.#readOrClaimOne(read)
      : createTurnBatch(options.redis, {
          send: (reads) => this.#readOrClaimAll(reads),
          unknown: null,
        });
  }

  get(key: string): null | Promise<StoredEvidence | null> {
    return this.#admitRead() ? this.#read(key) : null;
  }

  getOrClaim(key: string, claimMs: number): null | Promise<StoreReading> {
    if (claimMs === 0) return this.#handle.guard.admits() ? this.#poll(key) : null;
    return this.#admitRead() ? this.#readOrClaim({ key, claimMs }) : null;
  }

  release(key: string): void {
    if (!this.#handle.guard.admits()) return;
    void this.#handle.guard.run(() =>
      this.#redis.releaseClaim(this.#handle.keys.evidence(key), this.#ownClaims),
    );
  }

  set(key: string, evidence: Evidence): void {
    void this.write(key, evidence);
  }

  async write(key: string, evidence: Evidence): Promise<boolean> {
    if (!isSettled(evidence.outcome)) {
      this.release(key);
      return false;
    }
    if (!this.#handle.guard.admits()) {
      this.#counters.skipped += 1;
      return false;
    }
    const lifeMs = remainingLifeMs(evidence, this.#clock.nowMs());
    return lifeMs > 0 ? this.#replace(key, evidence, lifeMs) : this.#remove(key);
  }

  purge(keys: readonly string[]): Promise<boolean> {
    return this.#purges.purge(keys);
  }

  onPurge(listener: (keys: readonly string[]) => void): void {
    this.#purges.onPurge(listener);
  }

  onMissedPurges(listener: () => void): void {
    this.#purges.onMissed(listener);
  }

  onWriteRefused(listener: (key: string) => void): void {
    this.#writeRefusedListeners.push(listener);
  }

  counters(): RedisStoreCounters {
    return { ...this.#counters, ...this.#handle.guard.counters() };
  }

  health(): StoreHealth {
    return { ...this.#handle.health(), receivesPurges: this.#purges.isReceiving() };
  }

  usage(): readonly StoreUsage[] {
    const { timeouts, failures, errorReplies } = this.#handle.guard.counters();
    const lost = { timeouts, losses: failures, refusals: errorReplies };
    return [{ level: 'redis', ...this.#reads, failures: lost }];
  }

  close(): Promise<void> {
    return this.#purges.close();
  }

  /** Counts a read that is left out. */
  #admitRead(): boolean {
    if (this.#handle.guard.admits()) return true;
    this.#counters.skipped += 1;
    this.#reads.skipped += 1;
    return false;
  }

  async #read(key: string): Promise<StoredEvidence | null> {
    const found = toEvidence(await this.#poll(key));
    this.#countRead(found);
    return found;
  }

  async #readOrClaimAll(reads: readonly ClaimingRead[]): Promise<StoreReading[]> {
    const { keys, guard } = this.#handle;
    const redisKeys = reads.map(({ key }) => keys.evidence(key));
    const lives = reads.map(({ claimMs }) => claimMs);
    const firstNumber = this.#claimCount + 1;
    this.#claimCount += reads.length;
    const standing = await guard.run(() =>
      this.#redis.getOrClaimAll(reads.length, redisKeys, this.#ownClaims, firstNumber, lives),
    );
    return reads.map(({ key }, place) => this.#noteRead(standing?.[place] ?? null, key));
  }

  async #readOrClaimOne({ key, claimMs }: ClaimingRead): Promise<StoreReading> {
    const redisKey = this.#handle.keys.evidence(key);
    this.#claimCount += 1;
    const claim = this.#ownClaims + this.#claimCount;
    const text = await this.#handle.guard.run(() => this.#redis.getOrClaim(redisKey, claim, claimMs));
    return this.#noteRead(text, key);
  }

  /** Takes what one read found, or the text of its refusal in a list. */
  #noteRead(standing: string | null | readonly [refusal: string], key: string): StoreReading {
    const isText = standing === null || typeof standing === 'string';
    if (!isText) this.#handle.guard.noteRefusal(String(standing[0]));
    const reading = this.#decode(isText ? standing : null, key);
    this.#countRead(toEvidence(reading));
    return reading;
  }

  async #poll(key: string): Promise<StoreReading> {
    return this.#decode(
      await this.#handle.guard.run(() => this.#redis.get(this.#handle.keys.evidence(key))),
      key,
    );
  }

  #countRead(found: StoredEvidence | null): void {
    if (found === null) this.#reads.misses += 1;
    else this.#reads.hits += 1;
  }

  #decode(text: string | null, key: string): StoreReading {
    if (text === null || text === TOMBSTONE) return null;
    if (isClaim(text)) return text.startsWith(this.#ownClaims) ? null : { claimant: text };
    const evidence = this.#decodeEvidence(text, key);
    if (evidence === null) {
      this.#refuseValue(key);
      return null;
    }
    return remainingLifeMs(evidence, this.#clock.nowMs()) > 0 ? { evidence, level: 'redis' } : null;
  }

  #refuseValue(key: string): void {
    this.#counters.valuesRefused += 1;
    this.#handle.reportRefusal({ kind: 'value_refused', key });
  }

  async #replace(key: string, evidence: Evidence, lifeMs: number): Promise<boolean> {
    const written = await this.#handle.guard.run(() =>
      this.#redis.setUnlessPurged(
        this.#handle.keys.evidence(key),
        encodeEvidence(evidence),
        lifeMs,
        TOMBSTONE,
      ),
    );
    if (written === 0) {
      this.#counters.writesRefused += 1;
      for (const listener of this.#writeRefusedListeners) listener(key);
    }
    return written !== null;
  }

  async #remove(key: string): Promise<boolean> {
    const redisKey = this.#handle.keys.evidence(key);
    const removed = await this.#handle.guard.run(() =>
      this.#redis.removeEvidence(redisKey, TOMBSTONE, CLAIM_PREFIX, this.#ownClaims),
    );
    return removed !== null;
  }
}

function toEvidence(reading: StoreReading): StoredEvidence | null {
  return reading !== null && 'evidence' in reading ? reading : null;
}
