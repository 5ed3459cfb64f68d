/** Somebody who signed in with an API key. */
export interface StoredSession {
  /** The SHA-256 of that key, as the key file has it, 64 hex digits. */
  readonly keyDigest: string;
  /** Unix milliseconds. */
  readonly startedAtMs: number;
}

/** `none`: there is no such session, or it has ended. `unavailable`: the store cannot tell. */
export type FoundSession = StoredSession | 'none' | 'unavailable';

/** Keeps sessions by their names (hashes of what the browser holds). Never rejects and never throws. */
export interface SessionStore {
  /** Keeps a session until it was not used for `ttlMs`. False where it may not be kept. */
  open(name: string, session: StoredSession, ttlMs: number): boolean | Promise<boolean>;
  /** Finds a session, and lets it last for `ttlMs` from now. */
  find(name: string, ttlMs: number): FoundSession | Promise<FoundSession>;
  /** Ends a session. False where it may go on. */
  end(name: string): boolean | Promise<boolean>;
}
