import type { Clock } from '../application/clock.ts';
import { createCountSteps } from '../application/decision-log/count-steps.ts';
import { createDecisionFeed } from '../application/decision-log/decision-feed.ts';
import type { KnownPolicies } from '../application/decision-log/known-policies.ts';
import { paceReads } from '../application/decision-log/pace-reads.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { DecisionReads } from '../http/decision-log/decision-reads.ts';
import { createDecisionStreams } from '../http/decision-log/decision-streams.ts';
import { createBackgroundWork } from '../platform/background-work.ts';
import type { DecisionLog } from './decision-log.ts';
import { createParquetEncoder } from './parquet-encoder.ts';

/** What the reads are made of. */
export interface DecisionReadsOptions {
  readonly log: DecisionLog;
  readonly clock: Clock;
  readonly policies: KnownPolicies;
  readonly slots: readonly ProviderSlot[];
}

/**
 * The shares of the event loop that reading the log may take: for answers that somebody waits for, and for
 * exports and streams that catch up. Decisions keep the rest.
 */
const READ_SHARE_MAX = 0.2;
const BULK_SHARE_MAX = 0.1;

/** What the routes that read decisions need, and what ends the streams among them. */
export function openDecisionReads({ log, clock, policies, slots }: DecisionReadsOptions): DecisionReads {
  const { run } = createBackgroundWork({ shareMax: READ_SHARE_MAX });
  const reader = paceReads(log.reader, run);
  const bulk = paceReads(log.reader, createBackgroundWork({ shareMax: BULK_SHARE_MAX }).run);
  // What is new is read at once: it is little, and everybody waits for it.
  const feed = createDecisionFeed({ reader: log.reader, catchUp: bulk, clock });
  return {
    log: reader,
    logWhile: (isWanted) => ({
      ...paceReads(log.reader, (piece) => run(piece, isWanted)),
      // Others may share it.
      version: reader.version,
    }),
    bulk,
    openParquet: createParquetEncoder,
    countSteps: createCountSteps({ reader, run }),
    hashes: log.knownHashes,
    streams: createDecisionStreams({ feed, clock }),
    policies,
    telemetryProviders: slots.filter(({ subject }) => subject === 'telemetry_id').map(({ id }) => id),
  };
}
