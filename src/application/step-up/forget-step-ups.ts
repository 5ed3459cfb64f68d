import { voidUntil } from '../../domain/step-up/step-up.ts';
import type { Clock } from '../clock.ts';
import type { ForgetTarget, Forgettable } from '../subject-memory/forgettable.ts';
import type { StepUpStore } from './step-up-store.ts';

/** Forgets who has completed a challenge, by each of the ids. */
export function createStepUpForgetting(store: Pick<StepUpStore, 'forget'>, clock: Clock): Forgettable {
  return {
    memory: 'step_ups',
    forget: async (targets) => {
      const hashesOf = (wanted: ForgetTarget['part']) =>
        targets.flatMap(({ part, hashes }) => (part === wanted ? hashes : []));
      const removed = await store.forget(
        {
          telemetry: hashesOf('telemetry'),
          devices: hashesOf('device'),
          accounts: hashesOf('account'),
        },
        voidUntil(clock.nowMs()),
      );
      return { removed, isComplete: removed !== null };
    },
  };
}
