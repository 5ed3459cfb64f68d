import type { Counts } from './wire.ts';
import type { ListEntry } from './wire-acts.ts';

/** The parts of subjects that histories tell. */
type Part = 'telemetry' | 'device' | 'account' | 'ip' | 'visitor';

/** The answer of GET /v1/subjects/{part}/{hash}/memory. */
export interface SubjectMemory {
  readonly lists: readonly {
    readonly list: string;
    readonly entry: ListEntry;
  }[];
  /** How well the replica that answered knows the lists: `current`, `loading`, `stale`, `restoring`. */
  readonly lists_knowledge: string;
  /** The latest first; null where they cannot be read. */
  readonly step_ups:
    | readonly {
        readonly at: string;
        readonly method: string | null;
        readonly acr: string | null;
        readonly telemetry: string;
        readonly devices: readonly string[];
        readonly account: string | null;
      }[]
    | null;
}

/** The answer of POST /v1/subjects/find. */
export interface FoundSubject {
  readonly part: 'telemetry' | 'device' | 'account' | 'ip';
  /** Under each hash key, the one in force first. */
  readonly hashes: readonly { readonly hash: string }[];
}

/** The answer of GET /v1/subjects/{part}/{hash}. */
export interface SubjectHistory {
  readonly first_seen: string;
  readonly last_seen: string;
  /** False where older decisions were not looked at. */
  readonly complete: boolean;
  readonly total: number;
  readonly verdicts: Counts;
  /** Days without a decision are absent. */
  readonly days: readonly { readonly at: string; readonly verdicts: Counts }[];
  readonly labels: Counts;
  readonly seen_with: Readonly<
    Record<
      Part,
      {
        readonly distinct: number;
        readonly subjects: readonly {
          readonly hash: string;
          readonly decisions: number;
          readonly first_seen: string;
          readonly last_seen: string;
        }[];
      }
    >
  >;
}
