import { type SubjectPart, spellPart } from '../../domain/subject.ts';
import type { EvidenceStore } from './evidence-store.ts';
import type { ProviderSlot } from './gather-evidence.ts';

/** Ids whose evidence is to be forgotten, by the part of the subject that they are, in any spelling. */
export type PurgeTarget = Readonly<Partial<Record<SubjectPart, string | undefined>>>;

interface PurgeReport {
  /** The providers whose evidence was purged. */
  readonly providers: readonly string[];
  /**
   * False when a shared store could not be reached: other replicas may still hold the evidence until it
   * expires.
   */
  readonly isComplete: boolean;
}

/**
 * Forgets what the enabled providers said of these ids, in this process, in the shared store and on every
 * replica; calls in flight for them are not cached.
 */
export type PurgeEvidence = (target: PurgeTarget) => Promise<PurgeReport>;

/** Builds the use case over the providers of the registry and the store that they share. */
export function createPurgeEvidence(slots: readonly ProviderSlot[], store: EvidenceStore): PurgeEvidence {
  return async (target) => {
    const keys: string[] = [];
    const providers: string[] = [];
    for (const { subject, source } of slots) {
      const id = spellPart(subject, target[subject] ?? '');
      if (source === null || id === null) continue;
      keys.push(source.keyOf(id), ...source.olderKeysOf(id));
      providers.push(source.id);
    }
    return { providers, isComplete: await store.purge(keys) };
  };
}
