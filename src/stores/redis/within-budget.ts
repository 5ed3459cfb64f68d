/** What `withinBudget` resolves with when the work took too long. */
export const LATE = Symbol('late');

/**
 * Resolves as `work` does, or with LATE when it has not settled in time; rejects only when it rejects in time, and a later rejection is nobody's.
 * Lateness is judged one turn of the event loop after the timer, when sockets have been read: a reply that lay waiting while this process was busy is not late.
 */
export function withinBudget<T>(work: Promise<T>, budgetMs: number): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(resolve, LATE), budgetMs);
    const clearTimer = () => clearTimeout(timer);
    work.then(clearTimer, clearTimer);
    work.then(resolve, reject);
  });
}
