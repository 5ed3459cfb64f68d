import type { Signals } from '../evidence.ts';
import type { Contradiction, ContradictionInput, Finding, Side, Told } from './contradiction.ts';
import { anyOf, compare, found, numberOf } from './told.ts';

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
  find: ({ evidence, memory, nowMs }: ContradictionInput): Finding => {
    const { stytch, prefactor } = evidence;
    const { created, expires } = timesOf(stytch, fingerprintTimes, readFingerprint);
    const { first, last } = timesOf(prefactor, deviceTimes, readDevice);
    const nowSeconds = Math.floor(nowMs / 1000);
    const order = anyOf<Order>([
      isAfter('fingerprint_created', created, 'now', nowSeconds),
      isAfter(
        'fingerprint_created',
        created,
        'telemetry_id_first_used',
        toSeconds(memory.telemetryFirstUsedMs),
      ),
      isAfter('fingerprint_created', created, 'fingerprint_expires', expires),
      isAfter('device_first_seen', first, 'device_last_seen', last),
      isAfter('device_last_seen', last, 'now', nowSeconds),
    ]);
    if (typeof order === 'string') return order;
    const { result, later, earlier, seconds } = order;
    return found(result, { later, earlier, seconds, tolerance_seconds: TOLERANCE_SECONDS });
  },
};

/** When a fingerprint was taken, and until when it is good, Unix seconds. */
interface FingerprintTimes {
  readonly created: Told<number>;
  readonly expires: Told<number>;
}

/** When a device was first and last seen, Unix seconds. */
interface DeviceTimes {
  readonly first: Told<number>;
  readonly last: Told<number>;
}

/** Evidence is read again for every decision, and does not change. */
const fingerprintTimes = new WeakMap<Signals, FingerprintTimes>();
const deviceTimes = new WeakMap<Signals, DeviceTimes>();

function timesOf<Times>(side: Side, known: WeakMap<Signals, Times>, readTimes: (side: Side) => Times): Times {
  if (typeof side === 'string') return readTimes(side);
  let times = known.get(side);
  if (times === undefined) {
    times = readTimes(side);
    known.set(side, times);
  }
  return times;
}

function readFingerprint(stytch: Side): FingerprintTimes {
  return {
    created: numberOf(stytch, 'created_at_unix_seconds'),
    expires: numberOf(stytch, 'expires_at_unix_seconds'),
  };
}

function readDevice(prefactor: Side): DeviceTimes {
  return {
    first: numberOf(prefactor, 'first_seen', 'at_unix_seconds'),
    last: numberOf(prefactor, 'last_seen', 'at_unix_seconds'),
  };
}

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
  return compare(time, other, (left, right) => {
    const seconds = left - right;
    return { result: seconds > TOLERANCE_SECONDS, later, earlier, seconds };
  });
}
