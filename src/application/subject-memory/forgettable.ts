/** One id of a subject that is to be forgotten. */
export interface ForgetTarget {
  readonly part: 'telemetry' | 'device' | 'account';
  /** As it was given. It must not be kept. */
  readonly id: string;
  /** Its hashes in the decision log, under each known hash key, the one in force first. */
  readonly hashes: readonly string[];
}

/** What became of a wish to forget. */
export interface Forgotten {
  /** How many entries were removed; null where they are not counted. */
  readonly removed: number | null;
  /** False where some replica or store may still know the subject. */
  readonly isComplete: boolean;
}

/** Who asks to forget. */
interface Forgetter {
  /** The id of the API key. */
  readonly caller: string;
  readonly requestId: string | null;
}

/**
 * A memory that can forget a subject, in this process, in the shared store and on every replica. It forgets
 * what it keeps under the ids themselves; that an entry of another subject has seen them is not undone. Rejects
 * with `decision_log_unavailable` alone, where it records what it removed.
 */
export interface Forgettable {
  /** Its name in answers and records, in snake case. */
  readonly memory: string;
  forget(targets: readonly ForgetTarget[], by: Forgetter): Promise<Forgotten>;
}
