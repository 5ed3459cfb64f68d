import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import type { StoredEvidence, StoreReading } from '../../../src/application/evidence/evidence-store.ts';
import type { Evidence } from '../../../src/domain/evidence.ts';
import { createMemoryEvidenceStore } from '../../../src/stores/evidence/memory-store.ts';
import type { RedisEvidenceStore } from '../../../src/stores/evidence/redis-store.ts';
import { createTieredEvidenceStore } from '../../../src/stores/evidence/tiered-evidence-store.ts';
import { createEvidence, createManualClock } from '../../contracts/evidence-store.ts';

const KEY = 'stytch:a';

/** A Redis level whose answers and events come when the test says so. */
class FakeRedis implements RedisEvidenceStore {
  isAdmitting = false;
  isPurging = true;
  isWriting = true;
  readonly writes: [string, Evidence][] = [];
  readonly asked: string[] = [];
  readonly released: string[] = [];
  answer: (found: StoreReading) => void = () => {};
  emitMissedPurges: () => void = () => {};
  emitWriteRefused: (key: string) => void = () => {};
  readonly #purgeListeners: ((keys: readonly string[]) => void)[] = [];

  get(): null | Promise<StoredEvidence | null> {
    if (!this.isAdmitting) return null;
    return new Promise((resolve) => {
      this.answer = (found) => resolve(found as StoredEvidence | null);
    });
  }

  getOrClaim(key: string): Promise<StoreReading> {
    this.asked.push(key);
    return new Promise((resolve) => {
      this.answer = resolve;
    });
  }

  release(key: string): void {
    this.released.push(key);
  }

  set(key: string, evidence: Evidence): void {
    void this.write(key, evidence);
  }

  async write(key: string, evidence: Evidence): Promise<boolean> {
    this.writes.push([key, evidence]);
    return this.isWriting;
  }

  async purge(keys: readonly string[]): Promise<boolean> {
    this.emitPurge(keys);
    return this.isPurging;
  }

  emitPurge(keys: readonly string[]): void {
    for (const listener of this.#purgeListeners) listener(keys);
  }

  onPurge(listener: (keys: readonly string[]) => void): void {
    this.#purgeListeners.push(listener);
  }

  onMissedPurges(listener: () => void): void {
    this.emitMissedPurges = listener;
  }

  onWriteRefused(listener: (key: string) => void): void {
    this.emitWriteRefused = listener;
  }

  counters() {
    return { timeouts: 0, failures: 0, errorReplies: 0, skipped: 0, valuesRefused: 0, writesRefused: 0 };
  }

  health() {
    return { state: 'up', reason: null, receivesPurges: true } as const;
  }

  usage() {
    return [];
  }

  async close(): Promise<void> {}
}

t.test(
  'answers in place from memory, with a promise from Redis, and in place while Redis is left alone',
  async (t) => {
    const { store, redis, clock } = build();
    t.equal(store.get(KEY), null);
    redis.isAdmitting = true;
    const evidence = createEvidence(clock);
    const pending = store.get(KEY);
    t.type(pending, Promise);
    redis.answer({ evidence, level: 'redis' });
    t.strictSame(await pending, { evidence, level: 'redis' });
    t.strictSame(store.get(KEY), { evidence, level: 'memory' });
  },
);

t.test('sets both levels', async (t) => {
  const { store, redis, clock } = build();
  const evidence = createEvidence(clock);
  store.set(KEY, evidence);
  t.strictSame(store.get(KEY), { evidence, level: 'memory' });
  t.same(redis.writes, [[KEY, evidence]]);
});

const voiding: readonly [string, (redis: FakeRedis) => unknown][] = [
  ['a purge made here', (redis) => redis.purge([KEY])],
  ['a purge made elsewhere', (redis) => redis.emitPurge([KEY])],
  ['a purge that may have been missed', (redis) => redis.emitMissedPurges()],
];
for (const [name, void_] of voiding) {
  t.test(`${name} while Redis is being read makes it a miss, and keeps it out of memory`, async (t) => {
    const { store, redis, clock } = build();
    redis.isAdmitting = true;
    const pending = store.get(KEY);
    void_(redis);
    redis.answer({ evidence: createEvidence(clock), level: 'redis' });
    t.equal(await pending, null);
    redis.isAdmitting = false;
    t.equal(store.get(KEY), null);
  });

  t.test(`${name} empties memory`, async (t) => {
    const { store, redis, clock } = build();
    store.set(KEY, createEvidence(clock));
    void_(redis);
    t.equal(store.get(KEY), null);
  });
}

t.test('takes what another replica left while nobody purged, and passes claims on', async (t) => {
  const { store, redis, clock } = build();
  const evidence = createEvidence(clock);
  const claimed = store.getOrClaim(KEY, 1_000);
  redis.answer({ claimant: 'another' });
  t.strictSame(await claimed, { claimant: 'another' });
  const purged = store.getOrClaim(KEY, 0);
  redis.emitPurge([KEY]);
  redis.answer({ evidence, level: 'redis' });
  t.equal(await purged, null, 'it may be what was purged');
  const landed = store.getOrClaim(KEY, 0);
  redis.answer({ evidence, level: 'redis' });
  t.strictSame(await landed, { evidence, level: 'redis' });
  t.strictSame(store.getOrClaim(KEY, 1_000), { evidence, level: 'memory' });
  t.same(redis.asked, [KEY, KEY, KEY]);
  store.release(KEY);
  t.same(redis.released, [KEY]);
});

t.test('drops from memory what Redis refused because of a purge that was not heard', async (t) => {
  const { store, redis, clock } = build();
  store.set(KEY, createEvidence(clock));
  redis.emitWriteRefused(KEY);
  t.equal(store.get(KEY), null);
});

t.test('does not replace newer evidence with what Redis had before', async (t) => {
  const { store, redis, clock } = build();
  redis.isAdmitting = true;
  const older = createEvidence(clock);
  clock.advance(1);
  const newer = createEvidence(clock);
  const pending = store.get(KEY);
  store.set(KEY, newer);
  redis.answer({ evidence: older, level: 'redis' });
  t.strictSame(await pending, { evidence: newer, level: 'memory' });
  t.strictSame(store.get(KEY), { evidence: newer, level: 'memory' });
});

t.test('does not serve what Redis had before an answer that is not kept', async (t) => {
  const { store, redis, clock } = build();
  redis.isAdmitting = true;
  const older = createEvidence(clock);
  clock.advance(1);
  const pending = store.get(KEY);
  store.set(KEY, createEvidence(clock, { outcome: 'not_found', expiresAtMs: clock.nowMs() }));
  redis.answer({ evidence: older, level: 'redis' });
  t.equal(await pending, null);
  redis.isAdmitting = false;
  t.equal(store.get(KEY), null, 'nor keeps it in memory');
});

t.test('takes nothing older from Redis after an answer whose write failed', async (t) => {
  const { store, redis, clock } = build();
  redis.isAdmitting = true;
  redis.isWriting = false;
  const older = createEvidence(clock);
  clock.advance(1);
  const expiresAtMs = clock.nowMs() + 10;
  store.set(KEY, createEvidence(clock, { outcome: 'not_found', expiresAtMs }));
  await setImmediate();
  clock.advance(10);
  const pending = store.get(KEY);
  redis.answer({ evidence: older, level: 'redis' });
  t.equal(await pending, null);
  const newer = createEvidence(clock);
  const later = store.get(KEY);
  redis.answer({ evidence: newer, level: 'redis' });
  t.strictSame(await later, { evidence: newer, level: 'redis' }, 'but what is newer');
});

t.test('trusts Redis again once an answer has been written', async (t) => {
  const { store, redis, clock } = build();
  redis.isAdmitting = true;
  const behind = createEvidence(clock);
  clock.advance(1);
  store.set(KEY, createEvidence(clock, { expiresAtMs: clock.nowMs() + 10 }));
  await setImmediate();
  await setImmediate();
  clock.advance(10);
  const pending = store.get(KEY);
  redis.answer({ evidence: behind, level: 'redis' });
  t.strictSame(await pending, { evidence: behind, level: 'redis' }, 'as of a replica whose clock is behind');
});

t.test(
  'calls purge listeners when memory is clean already, and passes on that a purge was incomplete',
  async (t) => {
    const { store, redis, clock } = build();
    store.set(KEY, createEvidence(clock));
    let calls = 0;
    store.onPurge((keys) => {
      calls += 1;
      t.same(keys, [KEY]);
      t.equal(store.get(KEY), null);
    });
    redis.isPurging = false;
    t.equal(await store.purge([KEY]), false);
    t.equal(calls, 1);
  },
);

function build() {
  const clock = createManualClock();
  const redis = new FakeRedis();
  const store = createTieredEvidenceStore({ memory: createMemoryEvidenceStore({ clock }), redis });
  return { store, redis, clock };
}
