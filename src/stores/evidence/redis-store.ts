import { randomUUID } from 'node:crypto';
import type { Clock, StoredEvidence, StoreReading } from '../../application/ports.ts';
import type { Evidence } from '../../domain/evidence.ts';
import { createThrottle, type Throttle } from '../../platform/throttle.ts';
import type { RedisConnection } from '../redis/connection.ts';
import { createRedisConnection, createRedisSubscriber } from '../redis/create-connection.ts';
import { isNotServing, isRedisReply, redisErrorCode } from '../redis/error-code.ts';
import { createRedisGuard, type RedisGuard, type RedisGuardCounters } from '../redis/guard.ts';
import { createRedisKeys, type RedisKeys } from '../redis/keys.ts';
import type { RedisLane } from '../redis/lane.ts';
import { createPurgeChannel, type PurgeChannel } from '../redis/purge-channel.ts';
import type { RedisTarget } from '../redis/target.ts';
import { LATE, withinBudget } from '../redis/within-budget.ts';
import type { ClosableEvidenceStore, StoreHealth, StoreUsage } from './closable-evidence-store.ts';
import { claimsOf, decodeEvidence, encodeEvidence, isClaim, TOMBSTONE } from './evidence-codec.ts';
import { defineEvidenceCommands, type EvidenceRedis } from './evidence-commands.ts';
import type { RedisStoreEvent } from './redis-store-event.ts';
import { remainingLifeMs } from './remaining-life.ts';

export interface RedisEvidenceStoreOptions {
  readonly target: RedisTarget;
  readonly clock: Clock;
  /** The longest time `get` may take. */
  readonly budgetMs?: number;
  readonly probeIntervalMs?: number;
  /** How long a purged key refuses evidence: longer than any upstream call, so that one which began before the purge cannot undo it. */
  readonly tombstoneMs?: number;
  readonly onEvent?: (event: RedisStoreEvent) => void;
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

/** The store that replicas share. */
export interface RedisEvidenceStore extends ClosableEvidenceStore {
  /** Null at once while Redis is left alone, else a promise that settles within the budget. */
  get(key: string): null | Promise<StoredEvidence | null>;
  /** Null at once while Redis is left alone, else a promise that settles within the budget. */
  getOrClaim(key: string, claimMs: number): null | Promise<StoreReading>;
  /** Calls back whenever purges made elsewhere may have gone unheard, the first subscription included: whatever is held in memory may have been purged. */
  onMissedPurges(listener: () => void): void;
  /** Calls back with a key whose evidence was refused because it had just been purged: what is held for it in memory may predate that purge. */
  onWriteRefused(listener: (key: string) => void): void;
  counters(): RedisStoreCounters;
}

/** An evidence store that lends its connection for commands, which is closed with it. */
export interface LendingEvidenceStore extends RedisEvidenceStore {
  readonly lane: RedisLane;
}

/** Half as long again as the longest deadline a decision can have (10 s). */
const TOMBSTONE_MS = 15_000;
/** An operator waits for a purge, so it may take longer than a decision's read. */
const PURGE_WAIT_MS = 1_000;
/** A server that refuses refuses every command; one line in this time says so. */
const REFUSAL_EVENT_INTERVAL_MS = 10_000;

/** Connects in the background with two connections, one for commands and one for hearing purges, and returns at once: a Redis that is down is a store that misses. */
export function createRedisEvidenceStore(options: RedisEvidenceStoreOptions): LendingEvidenceStore {
  return new SharedEvidenceStore(options);
}

class SharedEvidenceStore implements LendingEvidenceStore {
  readonly #clock: Clock;
  /** One for the process: its callers know of each other without Redis. */
  readonly #ownClaims = claimsOf(randomUUID());
  #claimCount = 0;
  readonly #tombstoneMs: number;
  readonly #onEvent: (event: RedisStoreEvent) => void;
  readonly #keys: RedisKeys;
  readonly #connection: RedisConnection;
  readonly #redis: EvidenceRedis;
  readonly #guard: RedisGuard;
  readonly #purges: PurgeChannel;
  readonly lane: RedisLane;
  readonly #upListeners: (() => void)[] = [];
  readonly #purgeListeners: ((keys: readonly string[]) => void)[] = [];
  readonly #missedPurgesListeners: (() => void)[] = [];
  readonly #writeRefusedListeners: ((key: string) => void)[] = [];
  readonly #counters = { skipped: 0, valuesRefused: 0, writesRefused: 0 };
  readonly #reads = { hits: 0, misses: 0, skipped: 0 };
  readonly #throttle: Throttle;

  constructor(options: RedisEvidenceStoreOptions) {
    this.#clock = options.clock;
    this.#tombstoneMs = options.tombstoneMs ?? TOMBSTONE_MS;
    this.#onEvent = options.onEvent ?? (() => {});
    this.#throttle = createThrottle(REFUSAL_EVENT_INTERVAL_MS, () => options.clock.monotonicMs());
    this.#keys = createRedisKeys(options.target.keyPrefix);
    this.#connection = createRedisConnection(options.target, 'riskgate-evidence');
    this.#redis = defineEvidenceCommands(this.#connection.redis);
    this.#guard = this.#createGuard(options);
    this.lane = {
      redis: this.#connection.redis,
      keys: this.#keys,
      guard: this.#guard,
      onUp: (listener) => void this.#upListeners.push(listener),
      refuseValue: (key) => this.#refuseValue(key),
    };
    this.#purges = this.#createPurgeChannel(options.target);
  }

  get(key: string): null | Promise<StoredEvidence | null> {
    return this.#admitRead() ? this.#read(key) : null;
  }

  getOrClaim(key: string, claimMs: number): null | Promise<StoreReading> {
    if (claimMs === 0) return this.#guard.admits() ? this.#poll(key) : null;
    return this.#admitRead() ? this.#readOrClaim(key, claimMs) : null;
  }

  release(key: string): void {
    if (!this.#guard.admits()) return;
    void this.#guard.run(() => this.#redis.releaseClaim(this.#keys.evidence(key), this.#ownClaims));
  }

  set(key: string, evidence: Evidence): void {
    const lifeMs = remainingLifeMs(evidence, this.#clock.nowMs());
    if (lifeMs <= 0) {
      this.release(key);
      return;
    }
    if (this.#guard.admits()) void this.#write(key, evidence, lifeMs);
    else this.#counters.skipped += 1;
  }

  async purge(keys: readonly string[]): Promise<boolean> {
    // The listeners come first and the commands follow in the same turn: no read can come between on this connection.
    for (const listener of this.#purgeListeners) listener(keys);
    if (keys.length === 0) return true;
    try {
      return (await withinBudget(this.#bury(keys), PURGE_WAIT_MS)) !== LATE;
    } catch (error) {
      if (isRedisReply(error)) this.#reportRefusal({ kind: 'command_refused', code: redisErrorCode(error) });
      return false;
    }
  }

  onPurge(listener: (keys: readonly string[]) => void): void {
    this.#purgeListeners.push(listener);
  }

  onMissedPurges(listener: () => void): void {
    this.#missedPurgesListeners.push(listener);
  }

  onWriteRefused(listener: (key: string) => void): void {
    this.#writeRefusedListeners.push(listener);
  }

  counters(): RedisStoreCounters {
    return { ...this.#counters, ...this.#guard.counters() };
  }

  health(): StoreHealth {
    const hearsPurges = this.#purges.isSubscribed();
    return { state: this.#guard.state(), reason: this.#guard.reason(), hearsPurges };
  }

  usage(): readonly StoreUsage[] {
    const { timeouts, failures, errorReplies } = this.#guard.counters();
    const lost = { timeouts, losses: failures, refusals: errorReplies };
    return [{ level: 'redis', ...this.#reads, failures: lost }];
  }

  async close(): Promise<void> {
    this.#guard.close();
    await Promise.all([this.#connection.close(), this.#purges.close()]);
  }

  /** Counts a read that is left out. */
  #admitRead(): boolean {
    if (this.#guard.admits()) return true;
    this.#counters.skipped += 1;
    this.#reads.skipped += 1;
    return false;
  }

  async #read(key: string): Promise<StoredEvidence | null> {
    const found = toEvidence(await this.#poll(key));
    this.#countRead(found);
    return found;
  }

  async #readOrClaim(key: string, claimMs: number): Promise<StoreReading> {
    const redisKey = this.#keys.evidence(key);
    this.#claimCount += 1;
    const claim = this.#ownClaims + this.#claimCount;
    const text = await this.#guard.run(() => this.#redis.getOrClaim(redisKey, claim, claimMs));
    const reading = this.#decode(text, key);
    this.#countRead(toEvidence(reading));
    return reading;
  }

  async #poll(key: string): Promise<StoreReading> {
    return this.#decode(await this.#guard.run(() => this.#redis.get(this.#keys.evidence(key))), key);
  }

  #countRead(found: StoredEvidence | null): void {
    if (found === null) this.#reads.misses += 1;
    else this.#reads.hits += 1;
  }

  #decode(text: string | null, key: string): StoreReading {
    if (text === null || text === TOMBSTONE) return null;
    if (isClaim(text)) return text.startsWith(this.#ownClaims) ? null : { claimant: text };
    const evidence = decodeEvidence(text, key);
    if (evidence === null) {
      this.#refuseValue(key);
      return null;
    }
    return remainingLifeMs(evidence, this.#clock.nowMs()) > 0 ? { evidence, level: 'redis' } : null;
  }

  #refuseValue(key: string): void {
    this.#counters.valuesRefused += 1;
    this.#reportRefusal({ kind: 'value_refused', key });
  }

  async #write(key: string, evidence: Evidence, lifeMs: number): Promise<void> {
    const written = await this.#guard.run(() =>
      this.#redis.setUnlessPurged(this.#keys.evidence(key), encodeEvidence(evidence), lifeMs, TOMBSTONE),
    );
    if (written !== 0) return;
    this.#counters.writesRefused += 1;
    for (const listener of this.#writeRefusedListeners) listener(key);
  }

  /** Tombstones first, then the news: whoever hears it finds nothing left to read. Rejects when any of it was refused. */
  async #bury(keys: readonly string[]): Promise<void> {
    const tombstones = keys.map((key) =>
      this.#redis.set(this.#keys.evidence(key), TOMBSTONE, 'PX', this.#tombstoneMs),
    );
    const news = this.#redis.publish(this.#keys.purgeChannel, this.#purges.toMessage(keys));
    await Promise.all([...tombstones, news]);
  }

  #createGuard(options: RedisEvidenceStoreOptions): RedisGuard {
    let downReason: string | null = null;
    return createRedisGuard({
      connection: this.#connection,
      ...(options.budgetMs === undefined ? {} : { budgetMs: options.budgetMs }),
      ...(options.probeIntervalMs === undefined ? {} : { probeIntervalMs: options.probeIntervalMs }),
      onStateChange: (state, reason) => {
        this.#onEvent(state === 'up' ? { kind: 'up' } : { kind: 'down', reason: reason ?? 'unknown' });
        if (state === 'up') this.#noteUp(downReason);
        downReason = reason;
      },
      onErrorReply: (code) => this.#reportRefusal({ kind: 'command_refused', code }),
    });
  }

  #noteUp(downReason: string | null): void {
    // The connection was made again, and leads to a server that serves.
    if (downReason !== null && isNotServing(downReason)) this.#purges.renew(downReason);
    else if (downReason !== null) this.#purges.check();
    for (const listener of this.#upListeners) listener();
  }

  #createPurgeChannel(target: RedisTarget): PurgeChannel {
    return createPurgeChannel({
      connection: createRedisSubscriber(target, 'riskgate-purges'),
      channel: this.#keys.purgeChannel,
      publish: async (text) =>
        this.#guard.admits() &&
        (await this.#guard.run(() => this.#redis.publish(this.#keys.purgeChannel, text))) !== null,
      onPurged: (keys) => {
        for (const listener of this.#purgeListeners) listener(keys);
      },
      onSubscribed: () => {
        for (const listener of this.#missedPurgesListeners) listener();
        this.#onEvent({ kind: 'subscribed' });
      },
      onUnsubscribed: (reason) => this.#onEvent({ kind: 'unsubscribed', reason }),
      onMessageRefused: () => this.#reportRefusal({ kind: 'message_refused' }),
    });
  }

  /** At most one event of a kind and code in ten seconds; the counters miss none. */
  #reportRefusal(event: RedisStoreEvent): void {
    const subject = 'code' in event ? `${event.kind} ${event.code}` : event.kind;
    if (this.#throttle.note(subject) > 0) this.#onEvent(event);
  }
}

function toEvidence(reading: StoreReading): StoredEvidence | null {
  return reading !== null && 'evidence' in reading ? reading : null;
}
