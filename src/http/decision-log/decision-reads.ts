import type { Clock } from '../../application/clock.ts';
import type { CountSteps } from '../../application/decision-log/count-steps.ts';
import type { DecisionLogReader } from '../../application/decision-log/decision-log.ts';
import type { KnownPolicies } from '../../application/decision-log/known-policies.ts';
import type { ReportOutcome } from '../../application/decision-log/report-outcome.ts';
import type { RecordHashes } from '../../application/decision-log/to-decision-record.ts';
import type { PolicyEntry } from '../../domain/policy-in-force/policy-record.ts';
import type { DecisionStreams } from './decision-streams.ts';
import type { ExportEncoder } from './encode-export.ts';

/** What the routes that read decisions share. */
export interface DecisionReads {
  /** Takes its turns: see paceReads. */
  readonly log: DecisionLogReader;
  /**
   * The same for one answer: what has not had its turn when nobody waits for the answer any more is dropped, by
   * an UnwantedError.
   */
  readonly logWhile: (isWanted: () => boolean) => DecisionLogReader;
  readonly countSteps: CountSteps;
  /**
   * For answers that take longer with a longer log: they wait for each other, and nothing else waits for
   * them.
   */
  readonly bulk: Pick<DecisionLogReader, 'query' | 'labelsOf'>;
  /** Makes a Parquet file of an export; it has to be closed. */
  readonly openParquet: () => ExportEncoder;
  /** The hash keys of the records: requested identifiers are found by their hash. */
  readonly hashes: readonly RecordHashes[];
  readonly streams: DecisionStreams;
  readonly policies: KnownPolicies;
  /** Providers that are asked about the telemetry id. */
  readonly telemetryProviders: readonly string[];
}

/** What the requests of each of those routes use. */
export interface DecisionReadDependencies {
  readonly reads: DecisionReads;
  readonly version: string;
  readonly clock: Clock;
  readonly newId: () => string;
  /** The policies that came into force, the newest first, as far as they are remembered. */
  readonly policyHistory: () => readonly PolicyEntry[];
  readonly reportOutcome: ReportOutcome;
}
