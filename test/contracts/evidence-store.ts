import type { Test } from 'tap';
import type { Clock } from '../../src/application/clock.ts';
import type { EvidenceStore } from '../../src/application/evidence/evidence-store.ts';
import type { Evidence } from '../../src/domain/evidence.ts';
import type { ClosableEvidenceStore } from '../../src/stores/evidence/closable-evidence-store.ts';

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
}

/** One implementation of the store, as the suite needs it. */
export interface EvidenceStoreTwin {
  readonly id: string;
  /** Opens an empty store that is ready and ends with the test. */
  open(t: Test, clock: Clock): Promise<ClosableEvidenceStore>;
  /**
   * Opens another instance on the same evidence, as another replica would; null where evidence is not shared.
   */
  openReplica: ((t: Test, clock: Clock) => Promise<ClosableEvidenceStore>) | null;
}

const KEY = 'stytch:00112233445566778899aabbccddeeff';
const OTHER_KEY = 'stytch:ffeeddccbbaa99887766554433221100';
const LIFE_MS = 60_000;

export function createManualClock(): ManualClock {
  let elapsedMs = 0;
  const startMs = Date.now();
  return {
    nowMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    advance: (ms) => {
      elapsedMs += ms;
    },
  };
}

/** Resolves when everything that was set through this instance has arrived: a store answers in order. */
export async function settle(store: EvidenceStore): Promise<void> {
  await store.get('stytch:barrier');
}

/** Evidence as a provider would leave it, with every kind of signal value. */
export function createEvidence(clock: Clock, changes: Partial<Evidence> = {}): Evidence {
  const nowMs = clock.nowMs();
  return {
    provider: 'stytch',
    outcome: 'ok',
    signals: {
      found: true,
      score: 0.5,
      action: 'ALLOW',
      reasons: ['a', 'b'],
      browser: { name: 'x', old: false },
    },
    observedAtMs: nowMs,
    expiresAtMs: nowMs + LIFE_MS,
    upstreamRequestId: 'request-id-1',
    ...changes,
  };
}

/** Everything that every evidence store promises. */
export function testEvidenceStore(t: Test, twin: EvidenceStoreTwin): void {
  t.test('misses what was never set', async (t) => {
    const store = await twin.open(t, createManualClock());
    t.equal(await store.get(KEY), null);
  });

  t.test('gives back what was set, and nothing under another key', async (t) => {
    const clock = createManualClock();
    const store = await twin.open(t, clock);
    const evidence = createEvidence(clock);
    store.set(KEY, evidence);
    await settle(store);
    t.strictSame((await store.get(KEY))?.evidence, evidence);
    t.equal(await store.get(OTHER_KEY), null);
  });

  t.test('keeps every settled outcome, and a null request id', async (t) => {
    const clock = createManualClock();
    const store = await twin.open(t, clock);
    for (const outcome of ['ok', 'not_found', 'unsupported'] as const) {
      const evidence = createEvidence(clock, { outcome, signals: { found: false }, upstreamRequestId: null });
      store.set(KEY, evidence);
      await settle(store);
      t.strictSame((await store.get(KEY))?.evidence, evidence);
    }
  });

  t.test('counts its reads by what they found', async (t) => {
    const clock = createManualClock();
    const store = await twin.open(t, clock);
    store.set(KEY, createEvidence(clock));
    await settle(store);
    const total = () => {
      const { hits = 0, misses = 0, skipped = 0 } = store.usage()[0] ?? {};
      return { hits, misses, skipped };
    };
    const before = total();
    await store.get(KEY);
    await store.get(OTHER_KEY);
    clock.advance(LIFE_MS);
    await store.get(KEY);
    t.same(total(), { hits: before.hits + 1, misses: before.misses + 2, skipped: 0 }, 'of the nearest level');
  });

  t.test('replaces what was set before', async (t) => {
    const clock = createManualClock();
    const store = await twin.open(t, clock);
    store.set(KEY, createEvidence(clock, { upstreamRequestId: 'first' }));
    store.set(KEY, createEvidence(clock, { upstreamRequestId: 'second' }));
    await settle(store);
    t.equal((await store.get(KEY))?.evidence.upstreamRequestId, 'second');
  });

  t.test('never returns evidence from its expiry on', async (t) => {
    const clock = createManualClock();
    const store = await twin.open(t, clock);
    store.set(KEY, createEvidence(clock));
    await settle(store);
    clock.advance(LIFE_MS - 1);
    t.ok(await store.get(KEY), 'a millisecond before');
    clock.advance(1);
    t.equal(await store.get(KEY), null, 'at the very millisecond');
  });

  t.test('does not keep what has no expiry, has expired, or settles nothing', async (t) => {
    const clock = createManualClock();
    const store = await twin.open(t, clock);
    const unkeepable: Partial<Evidence>[] = [
      { expiresAtMs: null },
      { expiresAtMs: clock.nowMs() },
      { expiresAtMs: clock.nowMs() - 1 },
      { outcome: 'skipped', signals: null },
      { outcome: 'timeout', signals: null },
      { outcome: 'circuit_open', signals: null },
    ];
    for (const changes of unkeepable) {
      store.set(KEY, createEvidence(clock, changes));
      await settle(store);
      t.equal(await store.get(KEY), null, JSON.stringify(changes));
    }
  });

  t.test('serves nothing older after a settled answer that is not kept', async (t) => {
    const clock = createManualClock();
    const store = await twin.open(t, clock);
    const unkept: Partial<Evidence>[] = [
      { outcome: 'not_found', expiresAtMs: clock.nowMs() },
      { outcome: 'ok', expiresAtMs: clock.nowMs() - 1 },
      { outcome: 'unsupported', expiresAtMs: null },
    ];
    for (const changes of unkept) {
      store.set(KEY, createEvidence(clock));
      store.set(OTHER_KEY, createEvidence(clock));
      store.set(KEY, createEvidence(clock, changes));
      await settle(store);
      t.equal(await store.get(KEY), null, JSON.stringify(changes));
      t.ok(await store.get(OTHER_KEY));
    }
  });

  t.test('keeps what it has through an answer that settles nothing', async (t) => {
    const clock = createManualClock();
    const store = await twin.open(t, clock);
    for (const outcome of ['timeout', 'skipped', 'circuit_open', 'malformed'] as const) {
      store.set(KEY, createEvidence(clock));
      store.set(KEY, createEvidence(clock, { outcome, signals: null, expiresAtMs: null }));
      await settle(store);
      t.match(await store.get(KEY), { evidence: { outcome: 'ok' } }, outcome);
    }
  });

  t.test('purges the keys it is given, and no other', async (t) => {
    const clock = createManualClock();
    const store = await twin.open(t, clock);
    store.set(KEY, createEvidence(clock));
    store.set(OTHER_KEY, createEvidence(clock));
    await settle(store);
    t.equal(await store.purge([KEY, 'stytch:never-set']), true);
    t.equal(await store.get(KEY), null);
    t.ok(await store.get(OTHER_KEY));
    t.equal(await store.purge([]), true, 'nothing to purge is a success');
  });

  t.test('tells every listener once which keys were purged', async (t) => {
    const store = await twin.open(t, createManualClock());
    const heard: unknown[] = [];
    store.onPurge((keys) => heard.push(['first', keys]));
    store.onPurge((keys) => heard.push(['second', keys]));
    const purged = store.purge([KEY]);
    const expected = [
      ['first', [KEY]],
      ['second', [KEY]],
    ];
    t.same(heard, expected, 'before anything is waited for');
    await purged;
    await settle(store);
    t.same(heard, expected);
  });

  t.test('is up, and survives use after close', async (t) => {
    const clock = createManualClock();
    const store = await twin.open(t, clock);
    t.same(store.health(), { state: 'up', reason: null, receivesPurges: true });
    await store.close();
    await store.close();
    store.set(KEY, createEvidence(clock));
    await store.get(KEY);
    t.type(await store.purge([KEY]), 'boolean');
  });

  if (twin.openReplica !== null) testReplicas(t, twin, twin.openReplica);
}

function testReplicas(
  t: Test,
  twin: EvidenceStoreTwin,
  openReplica: NonNullable<EvidenceStoreTwin['openReplica']>,
): void {
  t.test('shares evidence between replicas', async (t) => {
    const clock = createManualClock();
    const [here, there] = [await twin.open(t, clock), await openReplica(t, clock)];
    const evidence = createEvidence(clock);
    here.set(KEY, evidence);
    await settle(here);
    t.strictSame(await there.get(KEY), { evidence, level: 'redis' });
  });

  t.test('serves a replica nothing older after a settled answer that is not kept', async (t) => {
    const clock = createManualClock();
    const [here, there] = [await twin.open(t, clock), await openReplica(t, clock)];
    here.set(KEY, createEvidence(clock));
    here.set(KEY, createEvidence(clock, { outcome: 'not_found', expiresAtMs: clock.nowMs() }));
    await settle(here);
    t.equal(await there.get(KEY), null);
  });

  t.test('tells the replica that purged no second time', async (t) => {
    const clock = createManualClock();
    const [here, there] = [await twin.open(t, clock), await openReplica(t, clock)];
    const heard: string[] = [];
    const heardOther = new Promise<void>((resolve) => {
      here.onPurge((keys) => {
        heard.push(...keys);
        if (keys.includes(OTHER_KEY)) resolve();
      });
    });
    await here.purge([KEY]);
    await there.purge([OTHER_KEY]);
    // Messages arrive in the order in which they were published.
    await heardOther;
    t.same(heard, [KEY, OTHER_KEY]);
  });

  t.test('purges on all replicas, and tells each of them once', async (t) => {
    const clock = createManualClock();
    const [here, there] = [await twin.open(t, clock), await openReplica(t, clock)];
    here.set(KEY, createEvidence(clock));
    await settle(here);
    t.ok(await there.get(KEY));
    const heardThere: unknown[] = [];
    const heard = new Promise<void>((resolve) => {
      there.onPurge((keys) => {
        heardThere.push(keys);
        resolve();
      });
    });
    t.equal(await here.purge([KEY]), true);
    await heard;
    t.same(heardThere, [[KEY]]);
    t.equal(await here.get(KEY), null);
    t.equal(await there.get(KEY), null);
  });

  t.test('refuses evidence from a call that began before the purge, wherever it is set', async (t) => {
    const clock = createManualClock();
    const [here, there] = [await twin.open(t, clock), await openReplica(t, clock)];
    const old = createEvidence(clock);
    await here.purge([KEY]);
    there.set(KEY, old);
    here.set(KEY, old);
    await Promise.all([settle(here), settle(there)]);
    t.equal(await here.get(KEY), null);
    here.set(KEY, { ...old, outcome: 'not_found', expiresAtMs: null });
    there.set(KEY, old);
    await Promise.all([settle(here), settle(there)]);
    t.equal(await here.get(KEY), null);
    t.equal(await there.get(KEY), null);
  });
}
