import type { OnOutcome } from '../application/decision-log/outcome-listener.ts';
import { wireBacktests } from './backtests.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import { type DecisionReadsOptions, openDecisionReads } from './decision-reads.ts';
import type { RouteDependencies } from './routes.ts';

interface LogReadsOptions extends Pick<DecisionReadsOptions, 'policies' | 'slots'> {
  readonly log: DecisionLog | null;
  readonly onOutcome: readonly OnOutcome[];
}

/** What reads the decision log for others; nothing without one. */
interface LogReads {
  readonly routes: Pick<RouteDependencies, 'decisions' | 'backtests'>;
  /** Ends the streams. */
  drain(): void;
  /** Ends backtests too. */
  close(): void;
}

/** Wires what reads the decision log. */
export function wireLogReads(
  context: AppContext,
  { log, policies, slots, onOutcome }: LogReadsOptions,
): LogReads {
  if (log === null) return { routes: { decisions: null, backtests: null }, drain: () => {}, close: () => {} };
  const { version, clock, newId } = context;
  const reads = openDecisionReads({ log, clock, policies, slots });
  const backtests = wireBacktests(context, { log, policies, reads });
  return {
    routes: { decisions: { reads, version, clock, newId, onOutcome }, backtests: { backtests } },
    drain: () => reads.streams.drain(),
    close: () => {
      reads.streams.drain();
      backtests.jobs.close();
    },
  };
}
