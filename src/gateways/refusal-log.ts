import type { Logger } from 'pino';
import type { ConnectionTrouble } from '../platform/grpc/connections.ts';
import { createThrottle } from '../platform/throttle.ts';

/**
 * Why a gateway's question was refused (also the reason code of the answer), or why its connection was
 * closed.
 */
type RefusalReason =
  | 'ADDRESS_UNKNOWN'
  | 'PROFILE_UNKNOWN'
  | 'CALLER_UNKNOWN'
  | 'REQUEST_MALFORMED'
  | 'REQUEST_TOO_LARGE'
  | 'OVERLOADED'
  | 'RATE_LIMITED'
  | 'UNRECORDED'
  | `CONNECTION_${Uppercase<ConnectionTrouble>}`;

/** Notes a refusal. `profile` is one that exists, or null. */
export type NoteRefusal = (reason: RefusalReason, dialect: string | null, profile: string | null) => void;

/**
 * A gateway with a wrong secret can be refused a thousand times a second; this time has one line of each
 * kind.
 */
const INTERVAL_MS = 10_000;

/**
 * Logs refusals, each reason of each profile at most once in ten seconds and with how many there were since
 * its last line.
 */
export function createRefusalLog(logger: Logger, monotonicMs: () => number): NoteRefusal {
  const throttle = createThrottle(INTERVAL_MS, monotonicMs);
  return (reason, dialect, profile) => {
    const count = throttle.note(`${reason} ${dialect} ${profile}`);
    if (count > 0) logger.warn({ event: 'gateway.refused', reason, dialect, profile, count });
  };
}
