import type { ForgetTarget, Forgettable } from '../subject-memory/forgettable.ts';
import type { StepUpStore } from './step-up-store.ts';

/** Forgets who has completed a challenge, by each of the ids. */
export function createStepUpForgetting(store: Pick<StepUpStore, 'forget'>): Forgettable {
  return {
    memory: 'step_ups',
    forget: async (targets) => {
      const hashesOf = (wanted: ForgetTarget['part']) =>
        targets.flatMap(({ part, hashes }) => (part === wanted ? hashes : []));
      const removed = await store.forget({
        telemetry: hashesOf('telemetry'),
        devices: hashesOf('device'),
        accounts: hashesOf('account'),
      });
      return { removed, isComplete: removed !== null };
    },
  };
}
