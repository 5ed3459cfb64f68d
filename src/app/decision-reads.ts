import { createDecisionFeed } from '../application/decision-log/decision-feed.ts';
import type { KnownPolicies } from '../application/decision-log/known-policies.ts';
import type { ProviderSlot } from '../application/gather-evidence.ts';
import type { Clock } from '../application/ports.ts';
import type { DecisionReads } from '../http/decision-log/decision-reads.ts';
import { createDecisionStreams } from '../http/decision-log/decision-streams.ts';
import type { DecisionLog } from './decision-log.ts';

export interface DecisionReadsOptions {
  readonly log: DecisionLog;
  readonly clock: Clock;
  readonly policies: KnownPolicies;
  readonly slots: readonly ProviderSlot[];
}

/** What the routes that read decisions need, and what ends the streams among them. */
export function openDecisionReads({ log, clock, policies, slots }: DecisionReadsOptions): DecisionReads {
  const feed = createDecisionFeed({ reader: log.reader, clock });
  return {
    log: log.reader,
    hashes: log.hashes,
    streams: createDecisionStreams({ feed, clock }),
    policies,
    telemetryProviders: slots.filter(({ subject }) => subject === 'telemetry_id').map(({ id }) => id),
  };
}
