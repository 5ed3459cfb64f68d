import type { EvidenceStore, StoredEvidence } from '../../application/evidence/evidence-store.ts';

/** Whether a store can be used now, for readiness and its log line. */
export interface StoreHealth {
  readonly state: 'up' | 'down';
  /** A short constant or error code that says what is wrong; null when nothing is. */
  readonly reason: string | null;
  /**
   * False while purges made on other replicas are not received: evidence in memory may then outlive its
   * purge, up to the memory level's `ttlCapMs`.
   */
  readonly receivesPurges: boolean;
}

/** What became of the reads of one cache level, as totals since the start. */
export interface StoreUsage {
  readonly level: StoredEvidence['level'];
  readonly hits: number;
  readonly misses: number;
  /** Reads that were not tried, because the level was left alone. */
  readonly skipped: number;
  /**
   * Commands, writes included, that ended without the answer that was asked for; null for a level that cannot
   * fail.
   */
  readonly failures: {
    readonly timeouts: number;
    readonly losses: number;
    readonly refusals: number;
  } | null;
}

/** An evidence store with a life of its own. */
export interface ClosableEvidenceStore extends EvidenceStore {
  health(): StoreHealth;
  /** One entry for each level, the nearest first. */
  usage(): readonly StoreUsage[];
  /**
   * Releases connections and timers within about a second. Never rejects, and what is still asked of the
   * store afterwards is a miss or a loss, not a throw.
   */
  close(): Promise<void>;
}
