import type { Activity } from '../application/activity/activity.ts';
import type { RecentCounts } from '../application/alerts/recent-counts.ts';
import type { KnownPolicies } from '../application/decision-log/known-policies.ts';
import type { OnOutcome } from '../application/decision-log/outcome-listener.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { FactSource } from '../application/facts/fact-source.ts';
import { createReadMemory } from '../application/subject-memory/read-memory.ts';
import type { ReferenceData } from '../domain/contradictions/reference-data.ts';
import { wireActivity } from './activity.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import { wireForgetting } from './forgetting.ts';
import type { IdHashes } from './id-hashes.ts';
import { wireLists } from './lists.ts';
import type { Observers } from './observers.ts';
import type { RouteDependencies } from './routes.ts';
import { receiveSharedSignals, wireSharedSignalMemory } from './shared-signals.ts';
import { wireStepUps } from './step-ups.ts';
import type { Stores } from './stores.ts';
import { wireSuperseding } from './superseding.ts';
import type { Webhooks } from './webhooks.ts';

interface SubjectMemoryParts {
  readonly slots: readonly ProviderSlot[];
  readonly hashes: IdHashes;
  readonly stores: Stores;
  readonly policies: KnownPolicies;
  readonly reference: ReferenceData;
  /** Null records nothing. */
  readonly log: DecisionLog | null;
  readonly observer: Observers['observer'];
  readonly webhooks: Webhooks;
  readonly listChanges: RecentCounts;
}

/** What is remembered of subjects beside custody: what decisions read of it, and what tells and forgets it. */
interface SubjectMemory {
  readonly facts: readonly FactSource[];
  readonly onOutcome: readonly OnOutcome[];
  readonly routes: Pick<
    RouteDependencies,
    'events' | 'forgetting' | 'stepUps' | 'lists' | 'sharedSignals' | 'subjectMemory'
  >;
  readonly remember: Activity['remember'];
  /** Stops to ask others for what they have to tell, and to tell others. */
  close(): Promise<void>;
}

/** Wires every memory of subjects. Rejects where a file cannot be used. */
export async function wireSubjectMemory(
  context: AppContext,
  parts: SubjectMemoryParts,
): Promise<SubjectMemory> {
  const activity = wireActivity(context, parts);
  const stepUps = wireStepUps(context, parts);
  const superseding = wireSuperseding(context, parts);
  const lists = wireLists(context, { ...parts, ...superseding, lists: parts.stores.lists });
  const store = parts.stores.sharedSignals;
  const shared = wireSharedSignalMemory(context, { ...parts, store });
  const memories = [activity.forgetting, lists.change.memory, ...shared.memories];
  const forgetting = wireForgetting(context, { ...parts, ...superseding, memories });
  const purge = forgetting.purgeQuietly;
  const receiver = await receiveSharedSignals(context, { ...parts, ...superseding, store, purge });
  return {
    facts: [activity.facts, stepUps.facts, lists.facts, ...shared.facts],
    remember: (decision, subject) => {
      activity.remember(decision, subject);
      superseding.ofDecision(decision, subject);
    },
    onOutcome: [activity.onOutcome, stepUps.onOutcome, superseding.onOutcome],
    routes: {
      events: activity,
      forgetting,
      stepUps,
      lists,
      subjectMemory: { readMemory: createReadMemory({ ...parts.stores, clock: context.clock }) },
      sharedSignals: receiver.routes,
    },
    close: async () => {
      await Promise.all([receiver.close(), parts.webhooks.closeAll()]);
    },
  };
}
