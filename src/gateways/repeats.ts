import { hash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Decision } from '../domain/decision.ts';

/** A gateway that retries does so within seconds; a person who asks again is rarely that quick. */
const WINDOW_MS = 5_000;
/** At some 300 bytes an entry this is 3 MB. A repeat that was forgotten is counted once more, and nothing else. */
const ENTRIES_MAX = 10_000;

/** Knows the decisions of the last seconds by their question. */
export interface Repeats {
  /** The id of the decision that this one repeats: the same question within five seconds, with the same verdict for the same reasons. Otherwise null, and this one is remembered. */
  find(question: readonly (string | null | undefined)[], decision: Decision): string | null;
}

interface Remembered {
  readonly id: string;
  readonly answer: string;
  readonly atMs: number;
}

/** Builds the memory of one process. It holds no question: digests, under a key that ends with the process. */
export function createRepeats(monotonicMs: () => number): Repeats {
  const secret = randomBytes(32).toString('base64');
  const latest = new LRUCache<string, Remembered>({ max: ENTRIES_MAX });
  return {
    find: (question, decision) => {
      const key = hash('sha256', secret + JSON.stringify(question), 'base64');
      const answer = [decision.verdict, ...decision.reasons.map(({ code }) => code)].join();
      const atMs = monotonicMs();
      const before = latest.get(key);
      if (before !== undefined && before.answer === answer && atMs - before.atMs < WINDOW_MS)
        return before.id;
      latest.set(key, { id: decision.id, answer, atMs });
      return null;
    },
  };
}
