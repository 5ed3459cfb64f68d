import type {
  AbortedPolicy,
  PolicyEntry,
  PolicyRecord,
  RolloutEntry,
} from '../../domain/policy-in-force/policy-record.ts';

/** A policy with its text. */
export interface PolicyWithText {
  readonly id: string;
  /** `sha256:` and the digest of the text. */
  readonly hash: string;
  readonly text: string;
}

/** A policy that was put in force, with its text; null where the shared store has lost it. */
type InForce = PolicyEntry & { readonly text: string | null };

/** A policy beside it, likewise. */
export type Rollout = RolloutEntry & { readonly text: string | null };

/** What replicas agree on, as last heard; the same object until it changes. */
export interface PolicyState extends PolicyRecord {
  readonly inForce: InForce | null;
  readonly rollout: Rollout | null;
}

/** A change of what is in force. */
export interface PolicyChange {
  /** Its own: no other change ever has it. It is among `changeIds` of the state once the change was made. */
  readonly id: string;
  /** What is to overrule the files; null lets them count. */
  readonly inForce: (PolicyEntry & PolicyWithText) | null;
  /** Replaces what was there. */
  readonly rollout: (RolloutEntry & PolicyWithText) | null;
  /**
   * What comes into force by the change and is remembered: `inForce`, or the policy of the file where files
   * count again; null where the same stays in force.
   */
  readonly entry: (PolicyEntry & PolicyWithText) | null;
  /** What is taken back by the change before it was in force; absent for nothing. */
  readonly aborted?: AbortedPolicy;
}

/** Where the state is kept. `process`: nobody else obeys it, and it ends with the process. */
export const POLICY_PLACES = ['redis', 'process'] as const;

/**
 * How well this process knows it. `loading`: it was not read yet. `stale`: it cannot be read at the moment, and
 * others may have changed it.
 */
const POLICY_KNOWLEDGE = ['known', 'loading', 'stale'] as const;

/** One of them. */
export type PolicyKnowledge = (typeof POLICY_KNOWLEDGE)[number];

/** The clock that all replicas share, whatever their own ones say. Unix milliseconds. */
interface SharedClock {
  readonly nowMs: number;
  /** When what is in force, or beside it, was changed last. */
  readonly changedAtMs: number;
}

/** `changed`: the revision is another by now, and nothing was done. `unknown`: it may have been done, or not. */
export type ChangeResult = 'kept' | 'changed' | 'unknown';

/**
 * Keeps which policy is in force, one beside it, and those that were. Whoever changes it reads `state()` first,
 * judges by that, and passes its `revision`: of two changes that are made at once one is refused, so that they
 * never pass each other. All replicas that share the store have a change well within a second, each by itself.
 * Nothing but `find` rejects.
 */
export interface PolicyStore {
  readonly place: (typeof POLICY_PLACES)[number];
  /** Ends when it was read for the first time, which may be long after the start. */
  readonly firstRead: Promise<void>;
  knowledge(): PolicyKnowledge;
  state(): PolicyState;
  /** The clock of the store; null where there is none but that of the process. */
  clock(): SharedClock | null;
  /** Makes a change, as far as the revision is still the expected one. */
  change(change: PolicyChange, expectedRevision: number): Promise<ChangeResult>;
  /** Remembers the policy of a file, by a change with this id. True where it was not the latest one, and is now. */
  note(policy: PolicyEntry & PolicyWithText, id: string): Promise<boolean>;
  /** The text of a policy that is in force, beside it or remembered. Rejects with `store_unavailable`. */
  find(hash: string): Promise<string | null>;
  /** Calls back when `state()` has changed, here or elsewhere, or `knowledge()` has. */
  onChange(listener: () => void): void;
  close(): Promise<void>;
}
