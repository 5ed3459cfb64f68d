import { RiskgateError } from '../domain/errors.ts';
import type { Decide } from './decide.ts';

/** A use case that refuses when too many decisions wait for evidence, and that knows whether it would. */
export interface BoundedDecide {
  /** Throws `overloaded` when full; otherwise as the decision it wraps. */
  readonly decide: Decide;
  isFull(): boolean;
}

/** Bounds the decisions that wait for evidence, and with them the memory and sockets that waiting costs. A decision whose evidence is at hand waits for nothing and is not counted. */
export function boundInFlight(decide: Decide, inFlightMax: number): BoundedDecide {
  let inFlight = 0;
  const leave = () => {
    inFlight -= 1;
  };
  const isFull = () => inFlight >= inFlightMax;
  return {
    isFull,
    decide: (subject, options) => {
      if (isFull()) throw new RiskgateError('overloaded', 'Too many decisions are in flight.');
      const made = decide(subject, options);
      if (!(made instanceof Promise)) return made;
      inFlight += 1;
      made.then(leave, leave);
      return made;
    },
  };
}
