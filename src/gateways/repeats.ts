import { hash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Repeat } from '../application/settle-decision.ts';
import type { Decision } from '../domain/decision.ts';
import { boundedTo } from '../platform/lru-bound.ts';

/** A gateway retries within seconds; a user who repeats a request is seldom that fast. */
const WINDOW_MS = 5_000;
/** At about 300 bytes an entry this is 3 MB. A repeat that was forgotten is only counted twice. */
const ENTRIES_MAX = 10_000;

/** The decisions of the last seconds, by their question. */
export interface Repeats {
  /**
   * A decision repeats another that was made within five seconds, with the same verdict for the same reasons.
   */
  about(question: readonly (string | null | undefined)[]): Repeat;
}

interface Remembered {
  readonly id: string;
  readonly answer: string;
  readonly atMs: number;
}

/** A decision that is being recorded. */
interface Pending {
  readonly answer: string;
  /** Its id once it is recorded, null when it could not be. */
  readonly id: Promise<string | null>;
  readonly settle: (id: string | null) => void;
}

interface Memory {
  readonly latest: LRUCache<string, Remembered>;
  readonly pending: Map<string, Pending>;
  readonly monotonicMs: () => number;
}

/**
 * Builds the memory of one process. It holds no question: digests, under a key that ends with the process.
 */
export function createRepeats(monotonicMs: () => number): Repeats {
  const secret = randomBytes(32).toString('base64');
  const latest = new LRUCache<string, Remembered>(boundedTo(ENTRIES_MAX));
  const memory: Memory = { latest, pending: new Map(), monotonicMs };
  return {
    about: (question) => createRepeat(memory, hash('sha256', secret + JSON.stringify(question), 'base64')),
  };
}

function createRepeat({ latest, pending, monotonicMs }: Memory, key: string): Repeat {
  let judged: string | null | Promise<string | null> | undefined;
  let own: Pending | null = null;
  const judge = (answer: string): string | null | Promise<string | null> => {
    const before = latest.get(key);
    if (before?.answer === answer && monotonicMs() - before.atMs < WINDOW_MS) return before.id;
    const underWay = pending.get(key);
    if (underWay?.answer === answer) return underWay.id;
    if (underWay === undefined) {
      const { promise, resolve } = Promise.withResolvers<string | null>();
      own = { answer, id: promise, settle: resolve };
      pending.set(key, own);
    }
    return null;
  };
  const end = (id: string | null) => {
    if (own === null) return;
    pending.delete(key);
    own.settle(id);
    own = null;
  };
  return {
    idOf: (decision) => {
      if (judged === undefined) judged = judge(toAnswer(decision));
      return judged;
    },
    remember: (decision) => {
      latest.set(key, { id: decision.id, answer: toAnswer(decision), atMs: monotonicMs() });
      end(decision.id);
    },
    giveUp: () => end(null),
  };
}

function toAnswer({ verdict, reasons }: Decision): string {
  return [verdict, ...reasons.map(({ code, satisfied }) => (satisfied === true ? `${code}!` : code))].join();
}
