import { type Activity, createActivity } from '../application/activity/activity.ts';
import { createClaims } from '../application/activity/claims.ts';
import { createActivityForgetting } from '../application/activity/forget-activity.ts';
import { createOutcomeActivity } from '../application/activity/outcome-activity.ts';
import { createReportEvents, type ReportEvents } from '../application/activity/report-events.ts';
import type { KnownPolicies } from '../application/decision-log/known-policies.ts';
import type { OnOutcome } from '../application/decision-log/outcome-listener.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { Forgettable } from '../application/subject-memory/forgettable.ts';
import { createKeyedHash } from '../platform/keyed-hash.ts';
import type { AppContext } from './context.ts';
import type { IdHashes } from './id-hashes.ts';
import type { Stores } from './stores.ts';

interface ActivityParts {
  readonly slots: readonly ProviderSlot[];
  readonly hashes: IdHashes;
  readonly stores: Stores;
  readonly policies: KnownPolicies;
}

interface WiredActivity extends Activity {
  readonly reportEvents: ReportEvents;
  readonly onOutcome: OnOutcome;
  readonly forgetting: Forgettable;
}

/** Wires what is kept of the activity of subjects. */
export function wireActivity(
  { config, clock }: AppContext,
  { slots, hashes, stores, policies }: ActivityParts,
): WiredActivity {
  const { activity: store, isShared } = stores;
  const [inForce, ...older] = hashes.records;
  if (inForce === undefined) throw new Error('there is no hash key');
  // A process has the same keys from its start to its end, and remembers nothing of another.
  const kept = [inForce, ...(isShared ? older : [])] as const;
  const claims = createClaims(
    store,
    config.idHashKeys.slice(0, kept.length).map((key) => createKeyedHash(key, 'events that were told', 0)),
  );
  return {
    ...createActivity({ slots, store, hashes: kept, clock }),
    reportEvents: createReportEvents({ store, hashes: kept, policy: policies.current, claims }),
    onOutcome: createOutcomeActivity({ slots, store, claims, clock }),
    forgetting: createActivityForgetting(store),
  };
}
