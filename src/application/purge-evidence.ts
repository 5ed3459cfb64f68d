import type { ProviderSlot } from './gather-evidence.ts';
import type { EvidenceStore } from './ports.ts';

/** Ids whose evidence is to be forgotten. */
export interface PurgeTarget {
  readonly telemetryId: string | null;
  readonly deviceId: string | null;
}

export interface PurgeReport {
  /** The providers whose evidence was purged. */
  readonly providers: readonly string[];
  /** False when a shared store could not be reached: other replicas may still hold the evidence until it expires. */
  readonly isComplete: boolean;
}

/** Forgets what the enabled providers said of an id, in this process, in the shared store and on every replica; calls in flight for it are not cached. */
export type PurgeEvidence = (target: PurgeTarget) => Promise<PurgeReport>;

export function createPurgeEvidence(slots: readonly ProviderSlot[], store: EvidenceStore): PurgeEvidence {
  return async ({ telemetryId, deviceId }) => {
    const keys: string[] = [];
    const providers: string[] = [];
    for (const { source } of slots) {
      const id = source?.subject === 'telemetry_id' ? telemetryId : deviceId;
      if (source === null || id === null) continue;
      keys.push(source.keyOf(id), ...source.olderKeysOf(id));
      providers.push(source.id);
    }
    return { providers, isComplete: await store.purge(keys) };
  };
}
