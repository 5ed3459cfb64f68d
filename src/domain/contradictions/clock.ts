import { type Contradiction, findBoundTo, type Told } from './contradiction.ts';
import { found, heavierOf, numberOf } from './told.ts';

/** Clocks of services that keep time differ by less; a telemetry id is created seconds before it is used. */
const TOLERANCE_SECONDS = 300;

/** Times that cannot be in this order. */
export const CLOCK: Contradiction = {
  id: 'clock',
  family: 'time',
  meaning:
    'Times are in an impossible order: a fingerprint from the future, taken after its telemetry id was first used here or after it expired, or a device first seen after it was last seen, or last seen in the future. Clocks may differ by 5 minutes.',
  reads: ['stytch', 'prefactor', 'memory', 'time'],
  needs: ['telemetry'],
  ...findBoundTo(({ stytch, prefactor }) => {
    const created = numberOf(stytch, 'created_at_unix_seconds');
    const expires = numberOf(stytch, 'expires_at_unix_seconds');
    const first = numberOf(prefactor, 'first_seen', 'at_unix_seconds');
    const last = numberOf(prefactor, 'last_seen', 'at_unix_seconds');
    const ofEvidence = heavierOf(
      isAfter('fingerprint_created', created, 'fingerprint_expires', expires),
      isAfter('device_first_seen', first, 'device_last_seen', last),
    );
    return ({ memory, nowMs }) => {
      const nowSeconds = Math.floor(nowMs / 1000);
      const used = toSeconds(memory.telemetryFirstUsedMs);
      let order = isAfter('fingerprint_created', created, 'now', nowSeconds);
      order = heavierOf(order, isAfter('fingerprint_created', created, 'telemetry_id_first_used', used));
      order = heavierOf(order, ofEvidence);
      order = heavierOf(order, isAfter('device_last_seen', last, 'now', nowSeconds));
      if (typeof order === 'string') return order;
      const { result, later, earlier, seconds } = order;
      return found(result, { later, earlier, seconds, tolerance_seconds: TOLERANCE_SECONDS });
    };
  }),
};

/** Two times, the first of which must not come after the second. */
interface Order {
  /** True where it does. */
  readonly result: boolean;
  readonly later: string;
  readonly earlier: string;
  readonly seconds: number;
}

function toSeconds(timeMs: Told<number>): Told<number> {
  return typeof timeMs === 'number' ? Math.floor(timeMs / 1000) : timeMs;
}

function isAfter(
  later: string,
  time: Told<number>,
  earlier: string,
  other: Told<number>,
): Order | 'unknown' | 'none' {
  if (time === undefined || other === undefined) return 'none';
  if (time === null || other === null) return 'unknown';
  const seconds = time - other;
  return { result: seconds > TOLERANCE_SECONDS, later, earlier, seconds };
}
