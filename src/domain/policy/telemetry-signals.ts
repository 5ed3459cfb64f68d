import { z } from 'zod';
import type { CustodyRecord } from '../custody.ts';
import { signalTypeOf } from './signal-type.ts';
import type { SubjectFact } from './subject-fact.ts';

/**
 * What a policy can read of the custody of the telemetry id, as the variable `telemetry`. It exists only when
 * custody is known.
 */
export const telemetrySignalsSchema = z.object({
  uses: z
    .number()
    .int()
    .describe('Decisions that asked about this telemetry id, this one and repeats by gateways included.'),
  age_seconds: z
    .number()
    .int()
    .describe(
      'Seconds since the first of them. How old the fingerprint itself is says `stytch.age_seconds`.',
    ),
  bound_elsewhere: z
    .boolean()
    .describe('The device or the account is not the one that used the telemetry id first: it was replayed.'),
  omits_device: z
    .boolean()
    .describe('The holder of the telemetry id has named a device with it, and this request names none.'),
  omits_account: z
    .boolean()
    .describe('The holder of the telemetry id has given an account with it, and this request gives none.'),
  expired: z
    .boolean()
    .optional()
    .describe(
      'The telemetry id is past its own expiry, by what its provider says now or said last. Unknown while the provider gives no definite answer, or is suspect and does not find it, and had not said so before.',
    ),
});

const type = signalTypeOf(telemetrySignalsSchema);

/** Custody of the telemetry id, as the variable `telemetry`. */
export const TELEMETRY_FACT: SubjectFact = {
  name: 'telemetry',
  typeOf: () => type,
  whole: ['expired'],
  whyAbsent: { none: 'no telemetry id', unknown: 'custody unavailable' },
};

/** What custody knows of a telemetry id, as rules read it. */
export type TelemetrySignals = z.output<typeof telemetrySignalsSchema>;

/**
 * Custody as a policy sees it: its signals, `unknown` where the store did not answer, `none` where there is
 * no telemetry id.
 */
export type TelemetryCustody = TelemetrySignals | 'unknown' | 'none';

/** What the providers of the telemetry id reported about its expiry in this decision. */
export interface TelemetryExpiry {
  /** Unix milliseconds; null where none was reported. */
  readonly validUntilMs: number | null;
  /** True when the answer of a provider that reports expiry is lost. */
  readonly isLost: boolean;
}

/** The signals of one use, at `nowMs`. */
export function toTelemetrySignals(
  record: CustodyRecord,
  { validUntilMs, isLost }: TelemetryExpiry,
  nowMs: number,
): TelemetrySignals {
  const untilMs = validUntilMs ?? record.validUntilMs;
  const isExpired = untilMs !== null && untilMs <= nowMs;
  const signals: TelemetrySignals = {
    uses: record.uses,
    age_seconds: Math.max(0, Math.floor((nowMs - record.firstUsedAtMs) / 1000)),
    bound_elsewhere: record.isBoundElsewhere,
    omits_device: record.omitsDevice,
    omits_account: record.omitsAccount,
  };
  // The stored expiry may be out of date. When the provider's answer is lost, it is used only where it is the
  // stricter one.
  if (isExpired || !isLost) signals.expired = isExpired;
  return signals;
}

/**
 * The custody result of a telemetry id, as a label: bound by this request, seen again with the same subject,
 * bound to another one, or unknown because the store did not answer.
 */
export const CUSTODY_RESULTS = ['first_use', 'repeated', 'bound_elsewhere', 'unknown'] as const;

/** What custody can find. */
export type CustodyResult = (typeof CUSTODY_RESULTS)[number];

/** `none` where there was no telemetry id. */
export function toCustodyResult(custody: TelemetryCustody): CustodyResult | 'none' {
  if (typeof custody === 'string') return custody;
  if (custody.bound_elsewhere) return 'bound_elsewhere';
  return custody.uses === 1 ? 'first_use' : 'repeated';
}
