/** Bounds how much is under way at once, and how much waits for its turn. */
interface Bulkhead {
  /**
   * Runs the task as soon as there is room, first come first served, or returns null without running it when
   * too many wait. Rejects only as the task does.
   */
  run<Value>(task: () => Promise<Value> | Value): Promise<Value> | null;
}

/** Builds an empty bulkhead: at most `concurrencyMax` tasks under way, and `queueMax` that wait. */
export function createBulkhead(concurrencyMax: number, queueMax: number): Bulkhead {
  let underWay = 0;
  const waiting: (() => void)[] = [];
  const runNow = async <Value>(task: () => Promise<Value> | Value): Promise<Value> => {
    underWay += 1;
    try {
      return await task();
    } finally {
      underWay -= 1;
      waiting.shift()?.();
    }
  };
  return {
    run: <Value>(task: () => Promise<Value> | Value) => {
      if (underWay < concurrencyMax) return runNow(task);
      if (waiting.length >= queueMax) return null;
      return new Promise<Value>((resolve) => {
        // Taking the place in the same step as it is given back keeps newcomers from passing those that wait.
        waiting.push(() => resolve(runNow(task)));
      });
    },
  };
}
