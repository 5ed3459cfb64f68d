import type { DecisionRecord } from '../../domain/decision-log/decision-record.ts';
import type { StepUpSubject } from '../../domain/step-up/step-up.ts';

/**
 * Who a decision was about, or would be about, as its record has the ids; null without a telemetry id, which
 * every step-up is for.
 */
export function toStepUpSubject({
  telemetry,
  devices,
  account,
}: Pick<DecisionRecord['subject'], 'telemetry' | 'devices' | 'account'>): StepUpSubject | null {
  return telemetry === null ? null : { telemetry, devices: devices.toSorted(), account };
}
