import { hash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Decision } from '../domain/decision.ts';

/** A gateway that retries does so within seconds; a person who asks again is rarely that quick. */
const WINDOW_MS = 5_000;
/** At some 300 bytes an entry this is 3 MB. A repeat that was forgotten is counted once more, and nothing else. */
const ENTRIES_MAX = 10_000;

/** Knows the decisions of the last seconds by their question. */
export interface Repeats {
  about(question: readonly (string | null | undefined)[]): Repeat;
}

/** What is known of one question. */
export interface Repeat {
  /** The id of the decision that this one repeats: made within five seconds, with the same verdict for the same reasons. Null where there is none. */
  idOf(decision: Decision): string | null;
  /** To be called once the decision has been told and recorded. */
  remember(decision: Decision): void;
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
    about: (question) => {
      const key = hash('sha256', secret + JSON.stringify(question), 'base64');
      return {
        idOf: (decision) => {
          const before = latest.get(key);
          const isSame = before?.answer === toAnswer(decision) && monotonicMs() - before.atMs < WINDOW_MS;
          return isSame ? before.id : null;
        },
        remember: (decision) =>
          latest.set(key, { id: decision.id, answer: toAnswer(decision), atMs: monotonicMs() }),
      };
    },
  };
}

function toAnswer({ verdict, reasons }: Decision): string {
  return [verdict, ...reasons.map(({ code }) => code)].join();
}
