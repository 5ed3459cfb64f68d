import { afterServedTime } from '../../platform/served-time.ts';

/** What `withinBudget` resolves with when the work took too long. */
export const LATE = Symbol('late');

/**
 * Resolves as `work` does, or with LATE when it has not settled in time; rejects only when it rejects in
 * time, and a later rejection is ignored. Only the time in which this process was free to take a reply
 * counts: a process that is busy says nothing of Redis.
 */
export function withinBudget<T>(work: Promise<T>, budgetMs: number): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const cancel = afterServedTime(budgetMs, () => resolve(LATE));
    work.then(cancel, cancel);
    work.then(resolve, reject);
  });
}
