import type { RecentCounts } from '../application/alerts/recent-counts.ts';
import type { OnOutcome } from '../application/decision-log/outcome-listener.ts';
import { createRecordEvent, type RecordEvent } from '../application/decision-log/record-event.ts';
import type { PurgeEvidence } from '../application/evidence/purge-evidence.ts';
import {
  supersedeByDecisions,
  supersedeByEvents,
  supersedeByOutcomes,
  supersedeByPurges,
} from '../application/supersede/causes.ts';
import { createSupersede } from '../application/supersede/supersede.ts';
import type { Decision } from '../domain/decision.ts';
import type { Subject } from '../domain/subject.ts';
import { toRfc3339 } from '../platform/rfc3339.ts';
import type { WebhookSender } from '../platform/webhooks/webhook-sender.ts';
import { countListChanges } from './alerts.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import type { IdHashes } from './id-hashes.ts';

interface SupersedingParts {
  readonly hashes: IdHashes;
  /** Null records nothing, and then nothing is superseded. */
  readonly log: DecisionLog | null;
  readonly webhooks: WebhookSender;
  readonly listChanges: RecentCounts;
}

/** What tells that decisions are superseded: each wraps what brings it about. */
interface Superseding {
  /** Records what somebody changed; null where nothing is recorded. */
  readonly recordEvent: RecordEvent | null;
  ofPurges(purge: PurgeEvidence): PurgeEvidence;
  readonly onOutcome: OnOutcome;
  ofDecision(decision: Decision, subject: Subject): void;
}

const NOTHING: Superseding = {
  recordEvent: null,
  ofPurges: (purge) => purge,
  onOutcome: async () => true,
  ofDecision: () => {},
};

/** Wires it over the log, which is where decisions are found and streams hear of them. */
export function wireSuperseding(
  { clock, newId, logger }: AppContext,
  { hashes, log, webhooks, listChanges }: SupersedingParts,
): Superseding {
  const [inForce] = hashes.records;
  if (log === null || inForce === undefined) return NOTHING;
  const record = countListChanges(createRecordEvent({ ...log, clock, newId }), listChanges);
  const supersede = createSupersede({
    reader: log.reader,
    record,
    tell: webhooks.send,
    clock,
    formatTime: toRfc3339,
    onFailed: (why) =>
      logger.warn({ event: 'superseded.not_told', why }, 'which decisions a change supersedes was not told'),
  });
  return {
    recordEvent: supersedeByEvents(record, supersede),
    ofPurges: (purge) => supersedeByPurges(purge, hashes.records, supersede),
    onOutcome: supersedeByOutcomes(supersede),
    ofDecision: supersedeByDecisions(inForce, supersede),
  };
}
