import type {
  AddedStepUp,
  FoundStepUp,
  KeptStepUp,
  StepUp,
  StepUpPart,
  StepUpSubject,
} from '../../domain/step-up/step-up.ts';

/** Parts of subjects, as keyed hashes. */
export interface SubjectHashes {
  readonly telemetry: readonly string[];
  readonly devices: readonly string[];
  readonly accounts: readonly string[];
}

/**
 * Keeps who has completed a challenge. It sees keyed hashes only, never rejects and never throws. What it
 * cannot tell is `unknown`, or not done: a step-up is never found that was not added.
 */
export interface StepUpStore {
  /**
   * False only where this telemetry id certainly has none. Costs no round trip: where it would, it is true.
   */
  mayHave(telemetry: string): boolean;
  /**
   * The step-up of a subject. An account that is not the one seen with the telemetry id before ends every
   * step-up of that id, in the same atomic step, and makes it void. A step-up that may have been lost within `lossMs` before now
   * is `unknown`.
   */
  find(subject: StepUpSubject, lossMs: number): FoundStepUp | Promise<FoundStepUp>;
  /**
   * Keeps a step-up for `lifeMs`, unless a later one of the same subject is kept. Ends those of another
   * account. `void` where one of its time was ended, or may have been where the store has lost what was ended:
   * what was told before, and is told once more, stays ended.
   */
  add(subject: StepUpSubject, stepUp: StepUp, lifeMs: number): Promise<AddedStepUp>;
  /**
   * Those that are kept of subjects with this part, as a person is shown them: the latest first, KEPT_TOLD_MAX at
   * most. It changes nothing, and what was lost is not among them. Null where they cannot be read.
   */
  kept(part: StepUpPart, hash: string): Promise<readonly KeptStepUp[] | null>;
  /**
   * Ends every step-up of subjects with one of these parts, in whichever combination, and makes void what is
   * told of them with a time up to `voidUntilMs`, or up to that of any which it ends; for as long as a step-up can
   * be of use. Null makes nothing void: a move to another hash key. Resolves with how many telemetry ids had one; null
   * where it is not known to be done.
   */
  forget(hashes: SubjectHashes, voidUntilMs: number | null): Promise<number | null>;
  /**
   * Up to which time, Unix milliseconds, step-ups of a subject with one of these parts are void; null where that is
   * not known.
   */
  voidUntil(subject: StepUpSubject): Promise<number | null>;
}
