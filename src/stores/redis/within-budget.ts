import { afterServedTime, servedMs } from '../../platform/served-time.ts';

/** What `withinBudget` resolves with when the work took too long. */
export const LATE = Symbol('late');

/** So often a sign of life gives more time: a server that is always behind is of no use to a decision. */
const EXTENSIONS_MAX = 8;

/**
 * Resolves as `work` does, or with LATE when it has not settled in time; rejects only when it rejects in
 * time, and a later rejection is ignored. Only the time in which this process was free to take a reply
 * counts: a process that is busy says nothing of Redis. `lastSignMs` says when, by `servedMs()`, the server
 * last answered what was sent before: the budget begins then, since it was not yet this work's turn.
 */
export function withinBudget<T>(
  work: Promise<T>,
  budgetMs: number,
  lastSignMs: () => number = noSign,
): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    let extensionsLeft = EXTENSIONS_MAX;
    const giveUp = (): void => {
      const leftMs = lastSignMs() + budgetMs - servedMs();
      extensionsLeft -= 1;
      if (leftMs > 0 && extensionsLeft >= 0) cancel = afterServedTime(leftMs, giveUp);
      else resolve(LATE);
    };
    let cancel = afterServedTime(budgetMs, giveUp);
    const end = (): void => cancel();
    work.then(end, end);
    work.then(resolve, reject);
  });
}

function noSign(): number {
  return Number.NEGATIVE_INFINITY;
}
