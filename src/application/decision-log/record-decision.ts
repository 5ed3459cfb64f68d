import { RiskgateError } from '../../domain/errors.ts';
import type { CandidateJudge } from '../candidates/candidates.ts';
import type { RecordDecision } from '../settle-decision.ts';
import type { Delivery, StrictDelivery } from './decision-log.ts';
import { type RecordOptions, toDecisionRecord } from './to-decision-record.ts';

/** Where records go, and what they are made with. */
export interface RecordDecisionOptions extends RecordOptions {
  /** A decision is answered only when all of these sinks hold its record. */
  readonly strict: readonly StrictDelivery[];
  /** These sinks get the records of decisions that are answered. */
  readonly lossy: readonly Delivery[];
}

const NO_CANDIDATES: CandidateJudge = {
  judgeNow: () => undefined,
  judgeLater: (_decision, _subject, tell) => tell(undefined),
};

/**
 * Builds the step that records a decision in every sink. Rejects with `decision_log_unavailable` when a
 * strict one does not hold it. Candidates judge after the answer, and before it only where a strict sink needs
 * the record whole.
 */
export function createRecordDecision(
  options: RecordDecisionOptions,
  candidates: CandidateJudge = NO_CANDIDATES,
): RecordDecision {
  const { strict, lossy } = options;
  return (decision, subject, asking) => {
    if (strict.length === 0) {
      candidates.judgeLater(decision, subject, (results) => {
        const record = toDecisionRecord(decision, subject, asking, options, results);
        for (const delivery of lossy) delivery.deliver(record);
      });
      return undefined;
    }
    const results = candidates.judgeNow(decision, subject);
    const record = toDecisionRecord(decision, subject, asking, options, results);
    const handOn = () => {
      for (const delivery of lossy) delivery.deliver(record);
    };
    return Promise.all(strict.map((delivery) => delivery.deliver(record))).then((isKept) => {
      if (!isKept.every(Boolean))
        throw new RiskgateError('decision_log_unavailable', 'A decision could not be recorded.');
      handOn();
    });
  };
}
