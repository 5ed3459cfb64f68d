import { createCustodyForgetting } from '../application/custody/forget-custody.ts';
import type { RecordEvent } from '../application/decision-log/record-event.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import { createPurgeEvidence, type PurgeEvidence } from '../application/evidence/purge-evidence.ts';
import { endStepUpsAtPurge } from '../application/step-up/end-at-purge.ts';
import { createStepUpForgetting } from '../application/step-up/forget-step-ups.ts';
import { createForgetSubject } from '../application/subject-memory/forget-subject.ts';
import type { Forgettable } from '../application/subject-memory/forgettable.ts';
import type { EvidenceDependencies } from '../http/routes/evidence.ts';
import type { ForgetDependencies } from '../http/routes/forget-subject.ts';
import type { AppContext } from './context.ts';
import type { IdHashes } from './id-hashes.ts';
import type { Stores } from './stores.ts';

interface ForgettingParts {
  readonly slots: readonly ProviderSlot[];
  readonly hashes: IdHashes;
  readonly stores: Stores;
  /** Those of other memories. */
  readonly memories: readonly Forgettable[];
  /** Null records nothing. */
  readonly recordEvent: RecordEvent | null;
  /** Says what a purge supersedes that somebody asked for. */
  readonly ofPurges: (purge: PurgeEvidence) => PurgeEvidence;
}

/** What forgets evidence, and what forgets a subject in every memory. */
export function wireForgetting(
  { clock }: AppContext,
  { slots, hashes, stores, memories: others, recordEvent: record, ofPurges }: ForgettingParts,
): EvidenceDependencies & ForgetDependencies & { readonly purgeQuietly: PurgeEvidence } {
  const purgeEvidence = createPurgeEvidence(slots, stores.evidence);
  const purge = endStepUpsAtPurge(purgeEvidence, stores.stepUps, hashes.records, clock);
  const custody = createCustodyForgetting({ store: stores.custody, hashes: hashes.custody });
  const memories = [custody, createStepUpForgetting(stores.stepUps, clock), ...others];
  const [inForce, ...older] = hashes.records;
  if (inForce === undefined) throw new Error('there is no hash key');
  return {
    purge: ofPurges(purge),
    purgeQuietly: purge,
    // Step-ups are one of the memories, which says how many there were.
    forget: createForgetSubject({ purge: purgeEvidence, memories, hashes: [inForce, ...older], record }),
  };
}
