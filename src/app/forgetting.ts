import { createCustodyForgetting } from '../application/custody/forget-custody.ts';
import { createRecordEvent, type RecordEvent } from '../application/decision-log/record-event.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import { createPurgeEvidence } from '../application/evidence/purge-evidence.ts';
import { endStepUpsAtPurge } from '../application/step-up/end-at-purge.ts';
import { createStepUpForgetting } from '../application/step-up/forget-step-ups.ts';
import { createForgetSubject } from '../application/subject-memory/forget-subject.ts';
import type { Forgettable } from '../application/subject-memory/forgettable.ts';
import type { EvidenceDependencies } from '../http/routes/evidence.ts';
import type { ForgetDependencies } from '../http/routes/forget-subject.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import type { IdHashes } from './id-hashes.ts';
import type { Stores } from './stores.ts';

interface ForgettingParts {
  readonly slots: readonly ProviderSlot[];
  readonly hashes: IdHashes;
  readonly stores: Stores;
  /** Those of other memories. */
  readonly memories: readonly Forgettable[];
  /** Null records nothing. */
  readonly log: DecisionLog | null;
}

/** What forgets evidence, and what forgets a subject in every memory. */
export function wireForgetting(
  context: AppContext,
  { slots, hashes, stores, memories: others, log }: ForgettingParts,
): EvidenceDependencies & ForgetDependencies {
  const purge = endStepUpsAtPurge(
    createPurgeEvidence(slots, stores.evidence),
    stores.stepUps,
    hashes.records,
  );
  const custody = createCustodyForgetting({ store: stores.custody, hashes: hashes.custody });
  const record = recordEvents(context, log);
  const memories = [custody, createStepUpForgetting(stores.stepUps), ...others];
  const [inForce, ...older] = hashes.records;
  if (inForce === undefined) throw new Error('there is no hash key');
  return {
    purge,
    forget: createForgetSubject({ purge, memories, hashes: [inForce, ...older], record }),
  };
}

/** What records events; null where there is no log. */
function recordEvents({ clock, newId }: AppContext, log: DecisionLog | null): RecordEvent | null {
  return log === null ? null : createRecordEvent({ ...log, clock, newId });
}
