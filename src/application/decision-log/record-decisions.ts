import { RiskgateError } from '../../domain/errors.ts';
import type { Decide } from '../decide.ts';
import type { Delivery, StrictDelivery } from './decision-log.ts';
import { type RecordOptions, toDecisionRecord } from './to-decision-record.ts';

export interface RecordDecisionsOptions extends RecordOptions {
  /** A decision is answered when all of these hold its record. */
  readonly strict: readonly StrictDelivery[];
  /** These get the records of decisions that are answered. */
  readonly lossy: readonly Delivery[];
}

/** The door of a caller that asks in our own words. */
const OWN_DOOR = 'decide';

/** A use case that records every decision it answers with. Rejects with `decision_log_unavailable` when a decision cannot be recorded where it has to be. */
export function recordDecisions(decide: Decide, options: RecordDecisionsOptions): Decide {
  const { strict, lossy } = options;
  return (subject, asked) => {
    const { caller = '', door = OWN_DOOR, requestId = null } = asked;
    const keep: Keep = (decision) => {
      const isRepeat = asked.isRepeat?.(decision) ?? false;
      if (isRepeat instanceof Promise) return isRepeat.then((is) => (is ? decision : record(decision)));
      return isRepeat ? decision : record(decision);
    };
    const record: Keep = (decision) => {
      const kept = toDecisionRecord(decision, subject, { caller, door, requestId }, options);
      const handOn = () => {
        for (const delivery of lossy) delivery.deliver(kept);
        return decision;
      };
      if (strict.length === 0) return handOn();
      return Promise.all(strict.map((delivery) => delivery.deliver(kept))).then((isKept) => {
        if (!isKept.every(Boolean)) throw unrecorded();
        return handOn();
      });
    };
    const made = decide(subject, asked);
    return made instanceof Promise ? made.then(keep) : keep(made);
  };
}

type Made = Awaited<ReturnType<Decide>>;
type Keep = (decision: Made) => Made | Promise<Made>;

function unrecorded(): RiskgateError {
  return new RiskgateError('decision_log_unavailable', 'A decision could not be recorded.');
}
