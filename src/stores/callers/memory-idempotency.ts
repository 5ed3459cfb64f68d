import { LRUCache } from 'lru-cache';
import type {
  ClaimedRequest,
  IdempotencyStore,
  StoredAnswer,
} from '../../application/callers/idempotency-store.ts';
import type { Clock } from '../../application/clock.ts';

interface MemoryIdempotencyStoreOptions {
  readonly clock: Clock;
  /** At least 1. The least recently used entry makes room for a new one; a long answer counts as several. */
  readonly entriesMax?: number;
}

interface Entry {
  readonly fingerprint: string;
  readonly owner: string;
  /** Null while the request is in flight. */
  readonly answer: StoredAnswer | null;
  /** Monotonic: a wall clock that is set back must not make an answer outlive its time. */
  readonly endsAtMs: number;
}

/** With the length of an answer that counts as one this is 20 MB. */
const ENTRIES_MAX = 10_000;
/**
 * What one entry may hold, in characters: an answer has some 1,200. One with `explain=full` has twenty times
 * as many, and more with a large policy.
 */
const ENTRY_LENGTH = 2_048;

/**
 * Keeps answers in this process: a retry that another replica gets, or that comes after a restart, is
 * carried out again.
 */
export function createMemoryIdempotencyStore(options: MemoryIdempotencyStoreOptions): IdempotencyStore {
  const { clock, entriesMax = ENTRIES_MAX } = options;
  const entries = new LRUCache<string, Entry>({
    maxSize: entriesMax,
    sizeCalculation: ({ answer }) => Math.max(1, Math.ceil((answer?.body.length ?? 0) / ENTRY_LENGTH)),
  });
  const find = (key: string): Entry | null => {
    const entry = entries.get(key);
    return entry !== undefined && entry.endsAtMs > clock.monotonicMs() ? entry : null;
  };
  const put = ({ key, fingerprint, owner }: ClaimedRequest, answer: StoredAnswer | null, lifeMs: number) => {
    entries.set(key, { fingerprint, owner, answer, endsAtMs: clock.monotonicMs() + lifeMs });
  };
  return {
    claim: (request, lockMs) => {
      const entry = find(request.key);
      if (entry === null) {
        put(request, null, lockMs);
        return { kind: 'claimed' };
      }
      if (entry.fingerprint !== request.fingerprint) return { kind: 'mismatch' };
      return entry.answer === null ? { kind: 'in_flight' } : { kind: 'stored', answer: entry.answer };
    },
    keep: (request, answer, ttlMs) => {
      const entry = find(request.key);
      if (entry === null || (entry.answer === null && entry.owner === request.owner))
        put(request, answer, ttlMs);
    },
    release: ({ key, owner }) => {
      const entry = find(key);
      if (entry?.answer === null && entry.owner === owner) entries.delete(key);
    },
  };
}
