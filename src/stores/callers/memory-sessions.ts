import { LRUCache } from 'lru-cache';
import type { SessionStore, StoredSession } from '../../application/callers/session-store.ts';
import type { Clock } from '../../application/clock.ts';
import { boundedTo } from '../../platform/lru-bound.ts';

interface MemorySessionStoreOptions {
  readonly clock: Clock;
  /** At least 1. The session that was not used for longest makes room for a new one. */
  readonly entriesMax?: number;
}

interface Entry {
  readonly session: StoredSession;
  /** Monotonic: a wall clock that is set back must not make a session outlive its time. */
  readonly endsAtMs: number;
}

/** At about 300 bytes a session this is 3 MB. */
const ENTRIES_MAX = 10_000;

/** Keeps sessions in this process: they end with it. */
export function createMemorySessionStore(options: MemorySessionStoreOptions): SessionStore {
  const { clock, entriesMax = ENTRIES_MAX } = options;
  const entries = new LRUCache<string, Entry>(boundedTo(entriesMax));
  const put = (name: string, session: StoredSession, ttlMs: number) =>
    entries.set(name, { session, endsAtMs: clock.monotonicMs() + ttlMs });
  return {
    open: (name, session, ttlMs) => {
      put(name, session, ttlMs);
      return true;
    },
    find: (name, ttlMs) => {
      const entry = entries.get(name);
      if (entry === undefined || entry.endsAtMs <= clock.monotonicMs()) return 'none';
      put(name, entry.session, ttlMs);
      return entry.session;
    },
    end: (name) => {
      entries.delete(name);
      return true;
    },
  };
}
