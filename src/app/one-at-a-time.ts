import { RiskgateError } from '../domain/errors.ts';

/** What is said while another work is under way. */
interface Busy {
  /** What is going on, as `Another candidate is being checked`. */
  readonly busy: string;
  /** Where a caller is told when to come again. */
  readonly retryAfterSeconds?: number;
}

/**
 * Bounds work that takes a thread of its own, and so a core and hundreds of megabytes: one at a time, whoever asks.
 * Rejects with `conflict` while another is under way.
 */
export function oneAtATime<Given extends readonly unknown[], Answer>(
  { busy, ...retry }: Busy,
  work: (...given: Given) => Promise<Answer>,
): (...given: Given) => Promise<Answer> {
  let isBusy = false;
  return async (...given) => {
    if (isBusy)
      throw new RiskgateError('conflict', `${busy}.`, {
        publicDetail: `${busy}: try again in a moment.`,
        ...retry,
      });
    isBusy = true;
    try {
      return await work(...given);
    } finally {
      isBusy = false;
    }
  };
}
