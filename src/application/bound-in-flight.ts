import { RiskgateError } from '../domain/errors.ts';
import type { SettledDecide } from './settle-decision.ts';

/**
 * A use case that refuses when too many decisions wait for evidence or for their record, and can tell whether
 * it would.
 */
interface BoundedDecide {
  /** Throws `overloaded` when full; otherwise as the decision it wraps. */
  readonly decide: SettledDecide;
  isFull(): boolean;
}

/**
 * Bounds the number of waiting decisions, and so the memory and sockets that they hold. A decision that is
 * made synchronously does not wait and is not counted.
 */
export function boundInFlight(decide: SettledDecide, inFlightMax: number): BoundedDecide {
  let inFlight = 0;
  const leave = () => {
    inFlight -= 1;
  };
  const isFull = () => inFlight >= inFlightMax;
  return {
    isFull,
    decide: (subject, options, asking) => {
      if (isFull()) throw new RiskgateError('overloaded', 'Too many decisions are in flight.');
      const made = decide(subject, options, asking);
      if (!(made instanceof Promise)) return made;
      inFlight += 1;
      made.then(leave, leave);
      return made;
    },
  };
}
