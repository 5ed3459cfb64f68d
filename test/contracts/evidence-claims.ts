import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import type { EvidenceStore } from '../../src/application/evidence/evidence-store.ts';
import { createEvidence, createManualClock, type EvidenceStoreTwin, settle } from './evidence-store.ts';

const KEY = 'stytch:00112233445566778899aabbccddeeff';
const OTHER_KEY = 'stytch:ffeeddccbbaa99887766554433221100';
const CLAIM_MS = 60_000;

/** What every evidence store promises to those who ask upstream at once. */
export function testEvidenceClaims(t: Test, twin: EvidenceStoreTwin): void {
  t.test('lets a replica ask for what nobody has, as often as it wants to', async (t) => {
    const store = await twin.open(t, createManualClock());
    t.equal(await store.getOrClaim(KEY, CLAIM_MS), null);
    t.equal(await store.getOrClaim(KEY, CLAIM_MS), null, 'its own claim keeps it from nothing');
    t.equal(await store.get(KEY), null, 'and a claim is not evidence');
  });

  t.test('gives what was set instead of a claim, and keeps it', async (t) => {
    const clock = createManualClock();
    const store = await twin.open(t, clock);
    const evidence = createEvidence(clock);
    await store.getOrClaim(KEY, CLAIM_MS);
    store.set(KEY, evidence);
    await settle(store);
    t.match(await store.getOrClaim(KEY, CLAIM_MS), { evidence });
    store.release(KEY);
    await settle(store);
    t.match(await store.getOrClaim(KEY, 0), { evidence }, 'a release takes nothing but a claim away');
  });

  if (twin.openReplica !== null) testReplicas(t, twin, twin.openReplica);
}

function testReplicas(
  t: Test,
  twin: EvidenceStoreTwin,
  openReplica: NonNullable<EvidenceStoreTwin['openReplica']>,
): void {
  const openTwo = async (t: Test) => {
    const clock = createManualClock();
    return { clock, here: await twin.open(t, clock), there: await openReplica(t, clock) };
  };

  t.test('tells other replicas of a claim, and always the same', async (t) => {
    const { here, there } = await openTwo(t);
    await here.getOrClaim(KEY, CLAIM_MS);
    const claimant = await claimantFor(there);
    t.type(claimant, 'string');
    t.equal(await claimantFor(there), claimant);
    t.equal(await there.get(KEY), null);
    t.equal(await there.getOrClaim(OTHER_KEY, CLAIM_MS), null, 'another key is free');
  });

  t.test('lets exactly one replica of those who ask at once go first', async (t) => {
    const { here, there } = await openTwo(t);
    const readings = await Promise.all(
      [here, there].flatMap((store) =>
        Array.from({ length: 50 }, async () => store.getOrClaim(KEY, CLAIM_MS)),
      ),
    );
    t.equal(readings.filter((reading) => reading === null).length, 50);
    t.equal(readings.filter((reading) => reading !== null && 'claimant' in reading).length, 50);
  });

  t.test('gives everyone what the claimant has set', async (t) => {
    const { here, there, clock } = await openTwo(t);
    const evidence = createEvidence(clock);
    await here.getOrClaim(KEY, CLAIM_MS);
    here.set(KEY, evidence);
    await settle(here);
    t.strictSame(await there.getOrClaim(KEY, 0), { evidence, level: 'redis' });
  });

  t.test(
    'frees a key that its claimant releases, or sets what is not to be kept for, and nobody else',
    async (t) => {
      const { here, there, clock } = await openTwo(t);
      const ends: readonly ((store: EvidenceStore) => void)[] = [
        (store) => store.release(KEY),
        (store) => store.set(KEY, createEvidence(clock, { outcome: 'not_found', expiresAtMs: null })),
        (store) =>
          store.set(KEY, createEvidence(clock, { outcome: 'timeout', signals: null, expiresAtMs: null })),
      ];
      for (const end of ends) {
        await here.getOrClaim(KEY, CLAIM_MS);
        const claimant = await claimantFor(there);
        end(there);
        await settle(there);
        t.equal(await claimantFor(there), claimant, 'it is not theirs');
        end(here);
        await settle(here);
        t.equal(await there.getOrClaim(KEY, 0), null);
        await here.getOrClaim(KEY, CLAIM_MS);
        t.not(await claimantFor(there), claimant, 'the next claim is another one');
        here.release(KEY);
        await settle(here);
      }
    },
  );

  t.test('claims nothing for no time', async (t) => {
    const { here, there } = await openTwo(t);
    await here.getOrClaim(KEY, 0);
    t.equal(await there.getOrClaim(KEY, CLAIM_MS), null);
    t.type(await claimantFor(here), 'string');
  });

  t.test('forgets a claim whose time has run out', async (t) => {
    const { here, there } = await openTwo(t);
    await here.getOrClaim(KEY, 50);
    // The time is that of Redis, which nobody can move.
    await delay(80);
    t.equal(await there.getOrClaim(KEY, 0), null);
  });

  t.test('ends a claim by a purge, and refuses what the claimant brings then', async (t) => {
    const { here, there, clock } = await openTwo(t);
    await here.getOrClaim(KEY, CLAIM_MS);
    await there.purge([KEY]);
    t.equal(await there.getOrClaim(KEY, CLAIM_MS), null);
    here.set(KEY, createEvidence(clock));
    await settle(here);
    t.equal(await there.getOrClaim(KEY, CLAIM_MS), null);
    t.equal(await here.getOrClaim(KEY, CLAIM_MS), null);
  });
}

async function claimantFor(store: EvidenceStore): Promise<string | null> {
  const reading = await store.getOrClaim(KEY, 0);
  return reading !== null && 'claimant' in reading ? reading.claimant : null;
}
