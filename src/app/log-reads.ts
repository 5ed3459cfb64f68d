import type { OnOutcome } from '../application/decision-log/outcome-listener.ts';
import { type ReportOutcome, reportOutcome } from '../application/decision-log/report-outcome.ts';
import type { DecisionReadDependencies, DecisionReads } from '../http/decision-log/decision-reads.ts';
import { toRfc3339 } from '../platform/rfc3339.ts';
import { wireBacktests } from './backtests.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import { type DecisionReadsOptions, openDecisionReads } from './decision-reads.ts';
import type { RedisInUse } from './redis.ts';
import { wireReview } from './review.ts';
import type { RouteDependencies } from './routes.ts';

interface LogReadsOptions extends Pick<DecisionReadsOptions, 'policies' | 'slots'> {
  readonly log: DecisionLog | null;
  readonly redis: RedisInUse;
  readonly onOutcome: readonly OnOutcome[];
  readonly policyHistory: DecisionReadDependencies['policyHistory'];
}

/** What reads the decision log for others; nothing without one. */
interface LogReads {
  readonly routes: Pick<RouteDependencies, 'decisions' | 'backtests' | 'review'>;
  /** Its store, to be closed after the last request; null without a log. */
  readonly review: { close(): Promise<void> } | null;
  /** Null without a log. */
  readonly reads: DecisionReads | null;
  /** Null without a log. */
  readonly reportOutcome: ReportOutcome | null;
  /** Ends the streams. */
  drain(): void;
  /** Ends backtests too. */
  close(): void;
}

const NOTHING: LogReads = {
  routes: { decisions: null, backtests: null, review: null },
  review: null,
  reads: null,
  reportOutcome: null,
  drain: () => {},
  close: () => {},
};

/** Wires what reads the decision log. */
export async function wireLogReads(
  context: AppContext,
  { log, redis, policies, policyHistory, slots, onOutcome }: LogReadsOptions,
): Promise<LogReads> {
  if (log === null) return NOTHING;
  const { version, clock, newId } = context;
  const reads = openDecisionReads({ log, clock, policies, slots });
  const backtests = wireBacktests(context, { log, policies, reads });
  const review = await wireReview(context, redis);
  const report = reportOutcome({ ...reads, clock, formatTime: toRfc3339, listeners: onOutcome });
  return {
    routes: {
      decisions: { reads, version, clock, newId, policyHistory, reportOutcome: report },
      backtests: { backtests },
      review,
    },
    review,
    reads,
    reportOutcome: report,
    drain: () => reads.streams.drain(),
    close: () => {
      reads.streams.drain();
      backtests.jobs.close();
    },
  };
}
