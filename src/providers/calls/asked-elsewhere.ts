import { setTimeout as delay } from 'node:timers/promises';
import type { AskedElsewhere, EvidenceStore, StoredEvidence } from '../../application/ports.ts';

/** How soon after its claim another replica's answer is looked for, and how often at most: a poll is one read of one key, and whoever waits loses half a pause. */
const POLL_PAUSE_MS_MIN = 5;
const POLL_PAUSE_MS_MAX = 25;

/** Follows what other replicas ask upstream. */
export interface ElsewhereWatch {
  /** What the claimant has left in the store, or null as soon as its claim is over: given up, purged, run out, taken by another, or lost with the store. Never rejects, and lasts no longer than the claim. */
  landing(key: string, elsewhere: AskedElsewhere): Promise<StoredEvidence | null>;
}

/** Looks into the store for all who wait for one key together. */
export function createElsewhereWatch(store: EvidenceStore): ElsewhereWatch {
  const landings = new Map<string, Promise<StoredEvidence | null>>();
  const watch = async (key: string, { claimant }: AskedElsewhere): Promise<StoredEvidence | null> => {
    for (let pauseMs = POLL_PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, POLL_PAUSE_MS_MAX)) {
      await delay(pauseMs);
      const reading = await store.getOrClaim(key, 0);
      if (reading === null) return null;
      if ('evidence' in reading) return reading;
      if (reading.claimant !== claimant) return null;
    }
  };
  return {
    landing: (key, elsewhere) => {
      const place = `${key} ${elsewhere.claimant}`;
      const underWay = landings.get(place);
      if (underWay !== undefined) return underWay;
      const landing = watch(key, elsewhere).finally(() => landings.delete(place));
      landings.set(place, landing);
      return landing;
    },
  };
}
