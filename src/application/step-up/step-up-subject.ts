import type { DecisionRecord } from '../../domain/decision-log/decision-record.ts';
import type { StepUpSubject } from '../../domain/step-up/step-up.ts';

type RecordedIds = Pick<DecisionRecord['subject'], 'telemetry' | 'devices' | 'account'>;

/**
 * Who a decision was about, or would be about, as its record has the ids; null without a telemetry id, which
 * every step-up is for.
 */
export function toStepUpSubject(ids: RecordedIds): StepUpSubject | null {
  return ids.telemetry === null ? null : toNamedSubject(ids.telemetry, ids);
}

/** The same where the telemetry id is known to be there. */
export function toNamedSubject(
  telemetry: string,
  { devices, account }: Omit<RecordedIds, 'telemetry'>,
): StepUpSubject {
  return { telemetry, devices: devices.toSorted(), account };
}
