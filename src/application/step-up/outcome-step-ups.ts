import { labelInForce, takenBack, WITHDRAWN } from '../../domain/decision-log/outcome-label.ts';
import { voidUntil } from '../../domain/step-up/step-up.ts';
import type { Clock } from '../clock.ts';
import type { OnOutcome } from '../decision-log/outcome-listener.ts';
import type { StepUpStore } from './step-up-store.ts';
import { toStepUpSubject } from './step-up-subject.ts';
import type { StepUps } from './step-ups.ts';

/**
 * What outcomes mean for step-ups. A challenge that was passed, and is not known to have failed later, is one,
 * since the time of its label: to tell it again makes it no younger. A challenge that failed ends every step-up
 * of the telemetry id, unless it was passed later; a fraud always does, and so does taking back that it was passed.
 * What has ended stays so when it is told once more.
 */
export function createOutcomeStepUps(
  stepUps: Pick<StepUps, 'addNamed'>,
  store: Pick<StepUpStore, 'forget'>,
  clock: Clock,
): OnOutcome {
  return async ({ record, label, labels, atMs, method, acr }) => {
    const subject = toStepUpSubject(record.subject);
    if (subject === null) return true;
    const isPassed = labelInForce(labels) === 'challenge_passed';
    if (label === 'challenge_passed' && isPassed)
      return (await stepUps.addNamed(subject, { atMs, method, acr })) !== 'unknown';
    const ends =
      label === 'fraud' ||
      (label === 'challenge_failed' && !isPassed) ||
      (label === WITHDRAWN && takenBack(labels).includes('challenge_passed'));
    if (!ends) return true;
    const nowMs = clock.nowMs();
    // Who has failed may pass a moment later.
    const voidUntilMs = label === 'challenge_failed' ? nowMs : voidUntil(nowMs);
    const hashes = { telemetry: [subject.telemetry], devices: [], accounts: [] };
    return (await store.forget(hashes, voidUntilMs)) !== null;
  };
}
