import type { Logger } from 'pino';
import { boundInFlight } from '../application/bound-in-flight.ts';
import type { SettledDecide } from '../application/settle-decision.ts';
import { createAdmission } from '../platform/admission.ts';
import { startLoadSampler } from '../platform/load-sampler.ts';

interface OverloadOptions {
  readonly decide: SettledDecide;
  readonly inFlightMax: number;
  /** Null does not watch the event loop. */
  readonly eventLoopDelayMaxMs: number | null;
  /** True where records of decisions come faster than the log that is read takes them. */
  readonly isBehind: () => boolean;
  readonly random: () => number;
  readonly logger: Logger;
}

/** Keeps a process from taking up more than it can do in time. */
export interface OverloadGuard {
  /** The use case, which refuses when too many decisions are in flight. */
  readonly decide: SettledDecide;
  /** What keeps the next decision out, or null. */
  overload(): 'in_flight' | 'event_loop' | 'heap' | null;
  /** True before decisions are refused or their records are lost, and while they are: reads are refused then. */
  isStrained(): boolean;
  /** Stops measuring. */
  close(): void;
}

/** Starts measuring, and bounds the decisions in flight. */
export function createOverloadGuard(options: OverloadOptions): OverloadGuard {
  const { decide, inFlightMax, eventLoopDelayMaxMs, isBehind, random, logger } = options;
  const bounded = boundInFlight(decide, inFlightMax);
  const admission = createAdmission({
    delayMaxMs: eventLoopDelayMaxMs,
    random,
    onChange: (isShedding, { delayMs, heapShare }) =>
      logger.warn({
        event: isShedding ? 'overload.began' : 'overload.ended',
        event_loop_delay_ms: Math.round(delayMs),
        heap_percent: Math.round(heapShare * 100),
      }),
  });
  const { stop } = startLoadSampler(admission.note);
  return {
    decide: bounded.decide,
    overload: () => admission.refusal() ?? (bounded.isFull() ? 'in_flight' : null),
    isStrained: () => isBehind() || admission.isStrained(),
    close: stop,
  };
}
