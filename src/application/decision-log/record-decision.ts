import { RiskgateError } from '../../domain/errors.ts';
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

/**
 * Builds the step that records a decision in every sink. Rejects with `decision_log_unavailable` when a
 * strict one does not hold it.
 */
export function createRecordDecision(options: RecordDecisionOptions): RecordDecision {
  const { strict, lossy } = options;
  return (decision, subject, asking) => {
    const record = toDecisionRecord(decision, subject, asking, options);
    const handOn = () => {
      for (const delivery of lossy) delivery.deliver(record);
    };
    if (strict.length === 0) {
      handOn();
      return undefined;
    }
    return Promise.all(strict.map((delivery) => delivery.deliver(record))).then((isKept) => {
      if (!isKept.every(Boolean))
        throw new RiskgateError('decision_log_unavailable', 'A decision could not be recorded.');
      handOn();
    });
  };
}
