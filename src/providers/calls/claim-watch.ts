import { setTimeout as delay } from 'node:timers/promises';
import type {
  EvidenceStore,
  ForeignClaim,
  StoredEvidence,
} from '../../application/evidence/evidence-store.ts';

/**
 * The pause before the first poll for another replica's answer doubles up to the longest. A poll is one read
 * of one key, and its answer is noticed half a pause late on average.
 */
const POLL_PAUSE_MS_MIN = 5;
const POLL_PAUSE_MS_MAX = 25;

/** Waits for the answers of upstream calls that other replicas have claimed. */
export interface ClaimWatch {
  /**
   * The evidence that the claimant stores, or null as soon as its claim is over: released, purged, expired,
   * replaced by another claim, or lost with the store. Never rejects, and lasts no longer than the claim.
   */
  awaitEvidence(key: string, claim: ForeignClaim): Promise<StoredEvidence | null>;
}

/** Builds the watch. All who wait for one claim share its polls of the store. */
export function createClaimWatch(store: EvidenceStore): ClaimWatch {
  const waits = new Map<string, Promise<StoredEvidence | null>>();
  const watch = async (key: string, { claimant }: ForeignClaim): Promise<StoredEvidence | null> => {
    for (let pauseMs = POLL_PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, POLL_PAUSE_MS_MAX)) {
      await delay(pauseMs);
      const reading = await store.getOrClaim(key, 0);
      if (reading === null) return null;
      if ('evidence' in reading) return reading;
      if (reading.claimant !== claimant) return null;
    }
  };
  return {
    awaitEvidence: (key, claim) => {
      const place = `${key} ${claim.claimant}`;
      const underWay = waits.get(place);
      if (underWay !== undefined) return underWay;
      const wait = watch(key, claim).finally(() => waits.delete(place));
      waits.set(place, wait);
      return wait;
    },
  };
}
