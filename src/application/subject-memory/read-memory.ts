import { isInForce, type ListEntry } from '../../domain/lists/list-entry.ts';
import type { KeptStepUp } from '../../domain/step-up/step-up.ts';
import type { Clock } from '../clock.ts';
import type { ListKnowledge, ListStore } from '../lists/list-store.ts';
import type { StepUpStore } from '../step-up/step-up-store.ts';

/** A part of a subject that is remembered by its keyed hash. */
type RememberedPart = 'telemetry' | 'device' | 'account' | 'ip' | 'visitor';

/** What is remembered of a subject now, for a person. */
export interface RememberedSubject {
  /** The entries in force that name it. */
  readonly entries: readonly ListEntry[];
  /** How well this process knows the lists. */
  readonly knowledge: ListKnowledge;
  /** The latest challenges that subjects with this part completed; null where they cannot be read. */
  readonly stepUps: readonly KeptStepUp[] | null;
}

/** Reads what is remembered of a part of a subject. Never rejects. */
export type ReadMemory = (part: RememberedPart, hash: string) => Promise<RememberedSubject>;

interface ReadMemoryOptions {
  readonly lists: Pick<ListStore, 'table' | 'knowledge'>;
  readonly stepUps: Pick<StepUpStore, 'kept'>;
  readonly clock: Clock;
}

/** Builds the use case. */
export function createReadMemory({ lists, stepUps, clock }: ReadMemoryOptions): ReadMemory {
  return async (part, hash) => {
    const nowMs = clock.nowMs();
    const entries = lists.table.lists().flatMap((list) => {
      const entry = lists.table.get(list, part, hash);
      return entry !== null && isInForce(entry, nowMs) ? [entry] : [];
    });
    // No step-up names an address or a visitor.
    const kept = part === 'ip' || part === 'visitor' ? [] : await stepUps.kept(part, hash);
    return { entries, knowledge: lists.knowledge(), stepUps: kept };
  };
}
