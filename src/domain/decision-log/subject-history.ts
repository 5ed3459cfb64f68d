import type { Verdict } from '../verdict.ts';
import type { DecisionRecord } from './decision-record.ts';
import type { Label } from './outcome-label.ts';
import type { LabelInForce } from './record-filter.ts';
import { hashesOfPart, SUBJECT_PARTS, type SubjectPartName } from './subject-parts.ts';

/** How many decisions came to each verdict; absent is none. */
type VerdictCounts = Readonly<Partial<Record<Verdict, number>>>;

/** Another subject that was named together with this one. */
interface SeenSubject {
  readonly hash: string;
  /** Decisions that name both. */
  readonly count: number;
  /** Unix milliseconds. */
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
}

/** The subjects of one part that were seen with a subject. */
export interface SeenSubjects {
  /** How many different ones. */
  readonly distinct: number;
  /** Those in the most decisions first, at most SEEN_MAX. */
  readonly subjects: readonly SeenSubject[];
}

/** What the log holds of one subject. */
export interface SubjectHistory {
  /** Unix milliseconds, of the decisions that were looked at. */
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly total: number;
  readonly verdicts: VerdictCounts;
  /** By UTC day, oldest first; days without a decision are absent. */
  readonly days: readonly { readonly startMs: number; readonly verdicts: VerdictCounts }[];
  /** Labels in force. */
  readonly labels: Readonly<Partial<Record<Label, number>>>;
  readonly seenWith: Readonly<Record<SubjectPartName, SeenSubjects>>;
  /** False where older decisions were not looked at, since one question looks at a bounded number. */
  readonly isWhole: boolean;
}

/** A decision about a subject, as far as its history needs it. */
interface SubjectDecision {
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly decision: Verdict;
  readonly subject: DecisionRecord['subject'];
  readonly label: LabelInForce;
}

/** The most subjects of one part that are named. */
const SEEN_MAX = 20;
const DAY_MS = 86_400_000;

interface Seen {
  count: number;
  firstSeenMs: number;
  lastSeenMs: number;
}

/** Adds up the decisions about one subject. */
export class SubjectTally {
  readonly #hash: string;
  readonly #days = new Map<number, Partial<Record<Verdict, number>>>();
  readonly #verdicts: Partial<Record<Verdict, number>> = {};
  readonly #labels: Partial<Record<Label, number>> = {};
  readonly #seen = new Map<SubjectPartName, Map<string, Seen>>();
  #total = 0;
  #firstSeenMs = Number.POSITIVE_INFINITY;
  #lastSeenMs = Number.NEGATIVE_INFINITY;

  /** The hash that all decisions have in common. */
  constructor(hash: string) {
    this.#hash = hash;
  }

  /** How many decisions were added. */
  get total(): number {
    return this.#total;
  }

  /** In any order. */
  add({ atMs, decision, subject, label }: SubjectDecision): void {
    this.#total += 1;
    this.#firstSeenMs = Math.min(this.#firstSeenMs, atMs);
    this.#lastSeenMs = Math.max(this.#lastSeenMs, atMs);
    raise(this.#verdicts, decision);
    const dayMs = atMs - (atMs % DAY_MS);
    const day = this.#days.get(dayMs) ?? {};
    this.#days.set(dayMs, day);
    raise(day, decision);
    if (label !== null) raise(this.#labels, label);
    for (const part of SUBJECT_PARTS)
      for (const hash of hashesOfPart(subject, part)) if (hash !== this.#hash) this.#see(part, hash, atMs);
  }

  /** Null where nothing was added. */
  read(isWhole: boolean): SubjectHistory | null {
    if (this.#total === 0) return null;
    const days = [...this.#days].map(([startMs, verdicts]) => ({ startMs, verdicts }));
    return {
      firstSeenMs: this.#firstSeenMs,
      lastSeenMs: this.#lastSeenMs,
      total: this.#total,
      verdicts: this.#verdicts,
      days: days.sort((left, right) => left.startMs - right.startMs),
      labels: this.#labels,
      seenWith: {
        telemetry: this.#seenOf('telemetry'),
        device: this.#seenOf('device'),
        account: this.#seenOf('account'),
        ip: this.#seenOf('ip'),
        visitor: this.#seenOf('visitor'),
      },
      isWhole,
    };
  }

  #see(part: SubjectPartName, hash: string, atMs: number): void {
    let subjects = this.#seen.get(part);
    if (subjects === undefined) {
      subjects = new Map();
      this.#seen.set(part, subjects);
    }
    const seen = subjects.get(hash);
    if (seen === undefined) {
      subjects.set(hash, { count: 1, firstSeenMs: atMs, lastSeenMs: atMs });
      return;
    }
    seen.count += 1;
    seen.firstSeenMs = Math.min(seen.firstSeenMs, atMs);
    seen.lastSeenMs = Math.max(seen.lastSeenMs, atMs);
  }

  #seenOf(part: SubjectPartName): SeenSubjects {
    const subjects = [...(this.#seen.get(part) ?? [])].map(([hash, seen]) => ({ hash, ...seen }));
    const sorted = subjects.sort(
      (left, right) =>
        right.count - left.count || right.lastSeenMs - left.lastSeenMs || (left.hash < right.hash ? -1 : 1),
    );
    return { distinct: sorted.length, subjects: sorted.slice(0, SEEN_MAX) };
  }
}

function raise<Name extends string>(counts: Partial<Record<Name, number>>, name: Name): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
