import { voidUntil } from '../../domain/step-up/step-up.ts';
import { hasText } from '../../domain/subject.ts';
import type { Clock } from '../clock.ts';
import type { RecordHashes } from '../decision-log/to-decision-record.ts';
import type { PurgeEvidence } from '../evidence/purge-evidence.ts';
import type { StepUpStore } from './step-up-store.ts';

/** Ends, with the evidence about an id, every step-up of subjects with that id. */
export function endStepUpsAtPurge(
  purge: PurgeEvidence,
  store: Pick<StepUpStore, 'forget'>,
  hashes: readonly RecordHashes[],
  clock: Clock,
): PurgeEvidence {
  return async (target) => {
    const { telemetry_id: telemetry, device_id: device, account_id: account } = target;
    const namesOf = (part: 'telemetry' | 'device' | 'account', id: string | undefined) =>
      hasText(id) ? hashes.map((under) => under[part](id)) : [];
    const [report, ended] = await Promise.all([
      purge(target),
      store.forget(
        {
          telemetry: namesOf('telemetry', telemetry),
          devices: namesOf('device', device),
          accounts: namesOf('account', account),
        },
        voidUntil(clock.nowMs()),
      ),
    ]);
    return { ...report, isComplete: report.isComplete && ended !== null };
  };
}
