import type { EvidenceStore } from '../application/ports.ts';

/** Whether a store can be used now, for readiness and its log line. */
export interface StoreHealth {
  readonly state: 'up' | 'down';
  /** A short constant or error code that says what is wrong; null when nothing is. */
  readonly reason: string | null;
  /** False while purges made on other replicas cannot be heard: evidence in memory may then outlive its purge, up to the memory level's `ttlCapMs`. */
  readonly hearsPurges: boolean;
}

/** An evidence store with a life of its own. */
export interface ClosableEvidenceStore extends EvidenceStore {
  health(): StoreHealth;
  /** Releases connections and timers within about a second. Never rejects, and what is still asked of the store afterwards is a miss or a loss, not a throw. */
  close(): Promise<void>;
}
