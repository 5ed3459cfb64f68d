import type { Decision } from '../domain/decision.ts';
import type { Subject } from '../domain/subject.ts';
import type { Decide, DecideOptions } from './decide.ts';
import type { DecisionObserver } from './observers.ts';

/** The caller and its entry point. */
export interface Asking {
  /** The id of the API key, or of the gateway. */
  readonly caller: string;
  /** The entry point: `decide`, `authzen`, or the dialect of a gateway. */
  readonly entryPoint: string;
  readonly requestId: string;
  /** The same question asked just before; absent where every question counts. */
  readonly repeat?: Repeat | undefined;
}

/**
 * A question that may be repeated within seconds, as gateways do. It ends with `remember` or `giveUp`; a
 * repeat may wait for that.
 */
export interface Repeat {
  /**
   * The id of the decision that this one repeats, null where there is none. A promise while that decision is
   * being recorded; it never rejects.
   */
  idOf(decision: Decision): string | null | Promise<string | null>;
  /** Called once the decision is recorded. */
  remember(decision: Decision): void;
  /** Called when no decision was made. */
  giveUp(): void;
}

/**
 * A decision that is recorded and observed, with the id that it is known by: that of the decision it repeats,
 * or its own.
 */
export interface SettledDecision {
  readonly id: string;
  readonly decision: Decision;
}

/**
 * Decides and settles. Throws or rejects with `decision_log_unavailable` when the decision cannot be recorded
 * in a strict sink, and otherwise as the use case that it wraps.
 */
export type SettledDecide = (
  subject: Subject,
  options: DecideOptions,
  asking: Asking,
) => SettledDecision | Promise<SettledDecision>;

/**
 * Records one decision: synchronously, or as a promise where the answer waits for its record. Rejects with
 * `decision_log_unavailable`.
 */
export type RecordDecision = (
  decision: Decision,
  subject: Subject,
  asking: Asking,
) => undefined | Promise<void>;

interface SettleOptions {
  /** Null records nothing. */
  readonly record: RecordDecision | null;
  readonly observer: DecisionObserver;
  /** Remembers what a decision tells of its subject; it does not wait and never throws. Absent is nothing. */
  readonly remember?: (decision: Decision, subject: Subject) => void;
}

/**
 * Wraps a use case with the steps after every decision: a repeat is neither recorded nor observed; every
 * other decision is recorded, then remembered and passed to the observers.
 */
export function settleDecisions(
  decide: Decide,
  { record, observer, remember }: SettleOptions,
): SettledDecide {
  const tell = (decision: Decision, subject: Subject, asking: Asking): SettledDecision => {
    const { caller, requestId, repeat } = asking;
    repeat?.remember(decision);
    remember?.(decision, subject);
    observer.onDecision({ decision, caller, requestId, action: subject.action ?? null });
    return { id: decision.id, decision };
  };
  const keep = (decision: Decision, subject: Subject, asking: Asking, repeatedId: string | null) => {
    if (repeatedId !== null) return { id: repeatedId, decision };
    const recorded = record?.(decision, subject, asking);
    return recorded === undefined
      ? tell(decision, subject, asking)
      : recorded.then(() => tell(decision, subject, asking));
  };
  const settle = (decision: Decision, subject: Subject, asking: Asking) => {
    const repeatedId = asking.repeat?.idOf(decision) ?? null;
    return repeatedId instanceof Promise
      ? repeatedId.then((id) => keep(decision, subject, asking, id))
      : keep(decision, subject, asking, repeatedId);
  };
  return (subject, options, asking) => {
    try {
      const made = decide(subject, options);
      const settled =
        made instanceof Promise
          ? made.then((decision) => settle(decision, subject, asking))
          : settle(made, subject, asking);
      return settled instanceof Promise ? settled.catch((error: unknown) => giveUp(asking, error)) : settled;
    } catch (error) {
      return giveUp(asking, error);
    }
  };
}

function giveUp({ repeat }: Asking, error: unknown): never {
  repeat?.giveUp();
  throw error;
}
