import type { ActivityPart } from '../../domain/activity/activity-parts.ts';
import type { Acceptance, ActivityState, SeenNames } from '../../domain/activity/activity-state.ts';

/** One part of one subject, as one hash key names it. */
export interface ActivityEntity {
  readonly part: ActivityPart;
  /** The keyed hash that the decision log keeps of it, 32 hex digits. */
  readonly hash: string;
  /**
   * True where the evidence that names it has no name for it under some other hash key that is known: what is
   * kept under that one is missing.
   */
  readonly lacksOtherNames?: boolean;
}

/** What is added to one entity. */
export interface ActivityChange {
  readonly entity: ActivityEntity;
  /** Those of kinds that are not kept of the part are left out. */
  readonly values: SeenNames;
  /** What happens to the values as values of the entity. */
  readonly acceptance: Acceptance;
  /** The numbers of the measures that are counted once more. */
  readonly measures: readonly number[];
  /** When it happened, Unix seconds, not in the future; absent for now. */
  readonly atSeconds?: number | undefined;
}

/** What is known of an entity. */
export interface KnownActivity {
  /** To be read at once, and not kept: its owner goes on to change it. */
  readonly state: ActivityState;
  /** What happened before is not all known, Unix seconds; 0 where nothing is missing. */
  readonly sinceSeconds: number;
}

/**
 * `new`: claimed by this call. `open`: claimed by another that has not settled it, and may never. `done`: settled
 * within the last day.
 */
export type Claim = 'new' | 'open' | 'done';

/** How long a claim is open: far longer than counting takes. */
export const CLAIM_OPEN_MS = 10_000;
/** How long it is known that something was counted. */
export const CLAIM_DONE_MS = 86_400_000;

/** Keeps the activity of parts of subjects. A store never rejects and never throws. */
export interface ActivityStore {
  /**
   * Adds to one entity in one atomic step, and tells what is known of it then. Null where this failed or its
   * result is not known: the activity is then unknown, and never none.
   */
  take(change: ActivityChange): KnownActivity | null | Promise<KnownActivity | null>;
  /** Adds, and does not wait for a remote store: what that cannot take now is kept for it. */
  add(changes: readonly ActivityChange[]): void;
  /** As `add`, and says whether all of it is kept now. */
  addNow(changes: readonly ActivityChange[]): boolean | Promise<boolean>;
  /** Claims names (keyed hashes) for some seconds. Null where it is not known which are claimed. */
  claim(names: readonly string[]): readonly Claim[] | null | Promise<readonly Claim[] | null>;
  /** Keeps claims for a day: what they stand for is counted. What a remote store cannot take is kept for it. */
  settle(names: readonly string[]): undefined | Promise<void>;
  /** Gives claims up that are not settled, so that they can be made again. */
  unclaim(names: readonly string[]): undefined | Promise<void>;
  /** Forgets entities. How many there were; null where some may still be there. */
  forget(entities: readonly ActivityEntity[]): number | null | Promise<number | null>;
}
