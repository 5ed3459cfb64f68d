import type { Forgettable } from '../subject-memory/forgettable.ts';
import type { ActivityStore } from './activity-store.ts';

/**
 * Forgets the activity of a device or an account: they are new then. That others were seen with them is not
 * undone, and nothing is kept under a telemetry id.
 */
export function createActivityForgetting(store: Pick<ActivityStore, 'forget'>): Forgettable {
  return {
    memory: 'activity',
    forget: async (targets) => {
      const entities = targets.flatMap(({ part, hashes }) =>
        part === 'telemetry' ? [] : hashes.map((hash) => ({ part, hash })),
      );
      const removed = await store.forget(entities);
      return { removed, isComplete: removed !== null };
    },
  };
}
