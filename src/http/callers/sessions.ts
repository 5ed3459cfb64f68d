import { hash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { SessionStore, SignedInPerson, StoredSession } from '../../application/callers/session-store.ts';
import type { Clock } from '../../application/clock.ts';
import { boundedTo } from '../../platform/lru-bound.ts';
import { type Caller, hasScope, type Keyring, type NeededScope } from './api-keys.ts';
import type { People } from './people.ts';

/** One session that goes on. */
export interface OpenSession {
  /** Its name in the store, which is no secret. */
  readonly name: string;
  /** Whose it is, as it was stored. */
  readonly stored: StoredSession;
  /** The holder of its key, as the key file in force says; or its person, by the groups in force. */
  readonly caller: Caller;
  /** Unix milliseconds: when it ends if it is not used. */
  readonly endsAtMs: number;
}

/** `unavailable`: the store cannot tell. */
export type SessionResult = OpenSession | 'none' | 'unavailable';

/** People who signed in with an API key, or elsewhere, and whose browsers hold a session in its place. */
export interface Sessions {
  /** Opens a session for a right key, and returns what the browser is to hold; null where none can be kept. */
  open(key: string): string | null | Promise<string | null>;
  /** The same for somebody who signed in elsewhere. */
  openFor(person: SignedInPerson): string | null | Promise<string | null>;
  /** Finds the session of what a browser holds, and lets it last from now. */
  find(token: string): SessionResult | Promise<SessionResult>;
  /** Ends it. False where it may go on. */
  end(token: string): boolean | Promise<boolean>;
  /** Whether it would still be let in, for answers that take hours. An end elsewhere is known seconds late. */
  isOpen(session: OpenSession, scope: NeededScope): boolean;
}

interface SessionsOptions {
  readonly store: SessionStore;
  readonly keyring: () => Keyring;
  /** Null where nobody signs in elsewhere. */
  readonly people?: Pick<People, 'callerOf'> | null;
  readonly clock: Clock;
}

/** How long a session lasts without use: a working day. */
export const SESSION_IDLE_SECONDS = 12 * 3_600;
/** However much it is used. */
const SESSION_SECONDS_MAX = 7 * 86_400;
/** Who has left, or lost a group, is found out when they sign in again: within a working day. */
const PERSON_SECONDS_MAX = SESSION_IDLE_SECONDS;
const TOKEN_BYTES = 32;
/** How often a session of a long answer is looked for again. */
const LOOK_AGAIN_MS = 5_000;
const WATCHED_MAX = 10_000;

/** Builds them over a store. */
export function createSessions({ store, keyring, people = null, clock }: SessionsOptions): Sessions {
  const watched = new LRUCache<string, { lookedAtMs: number; hasEnded: boolean }>(boundedTo(WATCHED_MAX));
  const idleMs = SESSION_IDLE_SECONDS * 1000;
  const callerOf = (stored: StoredSession): Caller | null =>
    'person' in stored ? (people?.callerOf(stored.person) ?? null) : keyring().holderOf(stored.keyDigest);
  const toResult = (name: string, found: StoredSession | 'none' | 'unavailable'): SessionResult => {
    if (typeof found === 'string') return found;
    const nowMs = clock.nowMs();
    const secondsMax = 'person' in found ? PERSON_SECONDS_MAX : SESSION_SECONDS_MAX;
    const lastMs = found.startedAtMs + secondsMax * 1000;
    const caller = callerOf(found);
    const isOver = nowMs >= Math.min(lastMs, caller?.notAfterMs ?? lastMs);
    if (caller === null || isOver) return 'none';
    const endsAtMs = Math.min(nowMs + idleMs, lastMs, caller.notAfterMs ?? lastMs);
    return { name, stored: found, caller, endsAtMs };
  };
  const find = (name: string): SessionResult | Promise<SessionResult> => {
    const found = store.find(name, idleMs);
    return found instanceof Promise ? found.then((late) => toResult(name, late)) : toResult(name, found);
  };
  const hasEnded = (name: string): boolean => {
    const nowMs = clock.monotonicMs();
    const last = watched.get(name) ?? { lookedAtMs: nowMs, hasEnded: false };
    watched.set(name, last);
    if (!last.hasEnded && nowMs - last.lookedAtMs >= LOOK_AGAIN_MS) {
      last.lookedAtMs = nowMs;
      void Promise.resolve(find(name)).then((found) => {
        if (found === 'none') last.hasEnded = true;
      });
    }
    return last.hasEnded;
  };
  const open = async (session: StoredSession): Promise<string | null> => {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    return (await store.open(nameOf(token), session, idleMs)) ? token : null;
  };
  return {
    open: (key) => open({ keyDigest: hash('sha256', key), startedAtMs: clock.nowMs() }),
    openFor: (person) => open({ person, startedAtMs: clock.nowMs() }),
    find: (token) => find(nameOf(token)),
    end: (token) => {
      const name = nameOf(token);
      watched.set(name, { lookedAtMs: clock.monotonicMs(), hasEnded: true });
      return store.end(name);
    },
    isOpen: ({ name, stored }, scope) => {
      const caller = callerOf(stored);
      if (caller === null || !hasScope(caller, scope)) return false;
      if (caller.notAfterMs !== null && caller.notAfterMs <= clock.nowMs()) return false;
      return !hasEnded(name);
    },
  };
}

/** What is kept of it: whoever reads the store cannot use it. */
function nameOf(token: string): string {
  return hash('sha256', token);
}
