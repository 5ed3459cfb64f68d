/**
 * What `work` resolves with, or `late` when it has not settled within `waitMs`. What arrived in time is used
 * even if this process was too busy to read it sooner. `work` never rejects.
 */
export function settleBy<Told>(work: Promise<Told>, waitMs: number, late: Told): Promise<Told> {
  const { promise, resolve } = Promise.withResolvers<Told>();
  const timer = setTimeout(() => setImmediate(resolve, late), Math.max(0, waitMs));
  void work.then((settled) => {
    clearTimeout(timer);
    resolve(settled);
  });
  return promise;
}
