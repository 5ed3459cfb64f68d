/** Tells ids whose calls fail because of the id from a provider that fails: an id that failed, after which another id was answered, is odd until it is answered itself. */
export interface OddIds {
  /** Notes a failed call. True where it speaks of the provider, false where it speaks of the id. */
  onFailed(key: string): boolean;
  /** Notes a call that was answered. */
  onAnswered(key: string): void;
  /** Forgets everything. */
  clear(): void;
}

/** Ids remembered of each kind; the oldest is forgotten, and so counts anew. */
const IDS_MAX = 1_000;

/** Without this, one device that never answers and is asked for often enough would open the circuit for all others. */
export function createOddIds(): OddIds {
  const failed = new Set<string>();
  const odd = new Set<string>();
  return {
    onFailed: (key) => {
      if (odd.has(key)) return false;
      addBounded(failed, key);
      return true;
    },
    onAnswered: (key) => {
      failed.delete(key);
      odd.delete(key);
      for (const other of failed) addBounded(odd, other);
      failed.clear();
    },
    clear: () => {
      failed.clear();
      odd.clear();
    },
  };
}

function addBounded(set: Set<string>, key: string): void {
  set.add(key);
  const [oldest] = set;
  if (set.size > IDS_MAX && oldest !== undefined) set.delete(oldest);
}
