import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import type { SubjectFacts } from '../../domain/policy/subject-fact.ts';
import type { Subject } from '../../domain/subject.ts';
import type { Gathered } from '../evidence/gather-evidence.ts';

/** What a source is asked for one decision. */
export interface FactQuestion {
  readonly subject: Subject;
  /** Reads at least one fact of the source; `facts` says what of it. */
  readonly policy: CompiledPolicy;
  /** Monotonic milliseconds. */
  readonly deadlineAtMs: number;
}

/** What is known when evidence is there. */
export interface KnownEvidence {
  readonly gathered: readonly Gathered[];
  /** What the sources before this one told, in the order of their wiring. */
  readonly facts: SubjectFacts;
  /** When the decision is made, Unix milliseconds. */
  readonly nowMs: number;
}

/**
 * The facts of the source by their names. One that is left out is unknown. Never throws; a promise, where it
 * has to ask once more for what evidence names, keeps the deadline and never rejects.
 */
export type ConcludeFacts = (known: KnownEvidence) => SubjectFacts | Promise<SubjectFacts>;

/**
 * Tells facts about subjects. It is asked at the same time as the providers, so that one batch carries both
 * to Redis, and only for a policy that reads one of its facts.
 */
export interface FactSource {
  /** The names of the facts that it tells. */
  readonly names: readonly string[];
  /**
   * Synchronous where the answer is at hand. Never rejects, and settles by the deadline: what is not there by
   * then is unknown.
   */
  ask(question: FactQuestion): ConcludeFacts | Promise<ConcludeFacts>;
}
