import type { Logger } from 'pino';
import type { ConnectionTrouble } from '../platform/grpc/connections.ts';
import { createSpacing } from '../platform/spaced-out.ts';

/** Why a gateway's question was turned away: the reason code of the answer too, or why its connection was ended. */
export type RefusalReason =
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

/** A gateway with a wrong secret is refused a thousand times a second; one line of each kind in this time says so. */
const INTERVAL_MS = 10_000;

/** Logs refusals, each reason of each profile at most once in ten seconds and with how many there were since its last line. */
export function createRefusalLog(logger: Logger, monotonicMs: () => number): NoteRefusal {
  const maySay = createSpacing(INTERVAL_MS, monotonicMs);
  const unsaid = new Map<string, number>();
  return (reason, dialect, profile) => {
    const kind = `${reason} ${dialect} ${profile}`;
    const count = (unsaid.get(kind) ?? 0) + 1;
    const isDue = maySay(kind);
    unsaid.set(kind, isDue ? 0 : count);
    if (isDue) logger.warn({ event: 'gateway.refused', reason, dialect, profile, count });
  };
}
