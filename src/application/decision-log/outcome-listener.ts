import type { DecisionRecord } from '../../domain/decision-log/decision-record.ts';
import type { OutcomeLabel } from '../../domain/decision-log/outcome-label.ts';

/** How a challenge was completed, in the words of the back end; null where it did not say. */
export interface ChallengeDetails {
  readonly method: string | null;
  readonly acr: string | null;
}

/** An outcome that the log holds. */
export interface ToldOutcome extends ChallengeDetails {
  readonly record: DecisionRecord;
  readonly label: OutcomeLabel['label'];
  /** Every label of the decision, the latest last. */
  readonly labels: readonly OutcomeLabel[];
  /** When it turned out, Unix milliseconds: as the caller says, or when it was first said of this decision. */
  readonly atMs: number;
  /** False where the same was told before. */
  readonly isNew: boolean;
}

/**
 * Takes part in outcomes. It is called for a repeated one too, as it may not have been done the first time.
 * Resolves false where it is not known to be done; never rejects.
 */
export type OnOutcome = (told: ToldOutcome) => Promise<boolean>;
