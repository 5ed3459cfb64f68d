import { createHmac, createSecretKey } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { boundedTo } from './lru-bound.ts';

/**
 * 128 bits of the HMAC: two ids share a hash by chance after about 2^64 of them, and without the key there is
 * no offline search for one.
 */
export const HASH_BYTES = 16;
/** An HMAC costs some microseconds and a memoised one 50 ns; at some 200 bytes an entry this is 2 MB. */
const MEMO_ENTRIES = 10_000;

const KEY_ID_BYTES = 4;

/**
 * A short name of a secret, and of the way in which ids are hashed under it, that says nothing of the secret:
 * eight hex digits, the same for the same secret. Another way to hash must have another name, so that what
 * was stored by the former one counts as stored under a key that is not known.
 */
export function keyIdOf(secret: string): string {
  return nameOf(secret, 'riskgate id of this key, slices of SHA-512');
}

/** What the secret was named when each purpose had an HMAC of its own. */
export function formerKeyIdOf(secret: string): string {
  return nameOf(secret, 'riskgate id of this key');
}

function nameOf(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest().toString('hex', 0, KEY_ID_BYTES);
}

/** Turns an identifier into 32 hex characters that identify it without revealing it. */
export type KeyedHash = (value: string) => string;

/**
 * Builds an HMAC-SHA-256 for one purpose. Each purpose, of any length, has its own key, itself an HMAC of the
 * purpose, so that a telemetry id and a device id of the same text have unrelated hashes. Different strings
 * are hashed as different bytes, lone surrogates included. The latest `memoEntries` values and their hashes
 * are kept in memory; with 0 nothing is. Throws a RangeError on an empty secret.
 */
export function createKeyedHash(
  secret: string | Buffer,
  purpose: string,
  memoEntries: number = MEMO_ENTRIES,
): KeyedHash {
  if (secret.length === 0) throw new RangeError('the secret of a keyed hash is empty');
  // Not HKDF: node:crypto refuses an `info` above 1024 bytes, and a purpose may hold a provider's settings.
  const key = createSecretKey(createHmac('sha256', secret).update(`riskgate ${purpose}`).digest());
  // UTF-8 would turn every lone surrogate into the same replacement character.
  const hash = (value: string): string =>
    createHmac('sha256', key).update(value, 'utf16le').digest().toString('hex', 0, HASH_BYTES);
  return memoEntries === 0 ? hash : remembering(hash, memoEntries);
}

function remembering(hash: KeyedHash, entriesMax: number): KeyedHash {
  const memo = new LRUCache<string, string>(boundedTo(entriesMax));
  return (value) => {
    const known = memo.get(value);
    if (known !== undefined) return known;
    const hashed = hash(value);
    memo.set(value, hashed);
    return hashed;
  };
}

/**
 * Turns a text into 64 bytes, any slice of which says nothing of the others or of the text without the key.
 */
export type KeyedDigest = (text: string) => Buffer;

/**
 * Builds an HMAC-SHA-512 for one kind of text, to be cut into a hash for each purpose. Kinds have unrelated
 * keys, and different strings are hashed as different bytes, lone surrogates included. Nothing is kept.
 */
export function createKeyedDigest(secret: string, kind: string): KeyedDigest {
  const key = createSecretKey(createHmac('sha512', secret).update(`riskgate ${kind}`).digest());
  return (text) => createHmac('sha512', key).update(text, 'utf16le').digest();
}
