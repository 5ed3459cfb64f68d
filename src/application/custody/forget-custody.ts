import { foldId, spellPart } from '../../domain/subject.ts';
import type { Forgettable } from '../subject-memory/forgettable.ts';
import type { CustodyHashes } from './custody.ts';
import type { CustodyStore } from './custody-store.ts';

interface ForgetCustodyOptions {
  readonly store: Pick<CustodyStore, 'forget'>;
  /** Under each known hash key, the one in force first. */
  readonly hashes: readonly CustodyHashes[];
}

/**
 * Forgets who used a telemetry id first: its next use is a first use. Bindings are not found by the device or
 * the account in them, and end by themselves.
 */
export function createCustodyForgetting({ store, hashes }: ForgetCustodyOptions): Forgettable {
  return {
    memory: 'custody',
    forget: async (targets) => {
      let removed = 0;
      for (const { part, id } of targets) {
        const telemetryId = part === 'telemetry' ? spellPart('telemetry_id', id) : null;
        if (telemetryId === null) continue;
        const folded = foldId(telemetryId);
        const count = await store.forget(hashes.map((under) => under.telemetry(folded)));
        if (count === null) return { removed: null, isComplete: false };
        removed += count;
      }
      return { removed, isComplete: true };
    },
  };
}
