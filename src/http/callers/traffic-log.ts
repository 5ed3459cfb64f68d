import type { Logger } from 'pino';
import type { Clock } from '../../application/clock.ts';
import { createThrottle } from '../../platform/throttle.ts';
import type { TrafficObserver } from './traffic-observer.ts';

/** A flood can be refused a thousand times a second; this time has one line of each kind. */
const INTERVAL_MS = 10_000;

/**
 * Logs refusals and unprotected requests, each kind at most once in ten seconds and with how many there were
 * since its last line.
 */
export function createTrafficLog(logger: Logger, clock: Clock): TrafficObserver {
  const throttle = createThrottle(INTERVAL_MS, () => clock.monotonicMs());
  const note = (kind: string, fields: object): void => {
    const count = throttle.note(kind);
    if (count > 0) logger.warn({ ...fields, count });
  };
  return {
    onRefused: (reason, caller) => note(reason, { event: 'request.refused', reason, caller }),
    onIdempotentRequest: (result) => {
      if (result === 'unprotected') note(result, { event: 'idempotency.unprotected' });
    },
  };
}
