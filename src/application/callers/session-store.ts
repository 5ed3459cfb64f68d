/** Somebody who signed in with an API key. */
interface KeyHolder {
  /** The SHA-256 of that key, as the key file has it, 64 hex digits. */
  readonly keyDigest: string;
}

/** Somebody who signed in elsewhere, as it was then. */
export interface SignedInPerson {
  /** Who said so: a digest of issuer and client. */
  readonly source: string;
  /** The name under which what this person does is recorded. */
  readonly name: string;
  /** Those groups that gave scopes here. */
  readonly groups: readonly string[];
}

/** Somebody who signed in. */
export type StoredSession = (KeyHolder | { readonly person: SignedInPerson }) & {
  /** Unix milliseconds. */
  readonly startedAtMs: number;
};

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
