/**
 * Tells ids that cause failures from a provider that fails. An id that failed before another id was answered
 * is failing until it is answered itself.
 */
interface FailingIds {
  /**
   * Notes a failed call. True where the failure counts against the provider, false where it counts against
   * the id.
   */
  onFailed(key: string): boolean;
  /** Notes a call that was answered. */
  onAnswered(key: string): void;
  /** Forgets everything. */
  clear(): void;
}

/** Ids remembered of each kind. The oldest is forgotten, and counts against the provider again. */
const IDS_MAX = 1_000;

/** Without this, one id whose calls always fail could open the circuit for all others. */
export function createFailingIds(): FailingIds {
  const failed = new Set<string>();
  const failing = new Set<string>();
  return {
    onFailed: (key) => {
      if (failing.has(key)) return false;
      addBounded(failed, key);
      return true;
    },
    onAnswered: (key) => {
      failed.delete(key);
      failing.delete(key);
      for (const other of failed) addBounded(failing, other);
      failed.clear();
    },
    clear: () => {
      failed.clear();
      failing.clear();
    },
  };
}

function addBounded(set: Set<string>, key: string): void {
  set.add(key);
  const [oldest] = set;
  if (set.size > IDS_MAX && oldest !== undefined) set.delete(oldest);
}
