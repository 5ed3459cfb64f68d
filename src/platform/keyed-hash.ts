import { createHmac, createSecretKey } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/**
 * 128 bits of the HMAC: two ids share a hash by chance after about 2^64 of them, and without the key there is
 * no offline search for one.
 */
const HASH_HEX_CHARS = 32;
/** An HMAC costs some microseconds and a memoised one 50 ns; at some 200 bytes an entry this is 2 MB. */
const MEMO_ENTRIES = 10_000;

const KEY_ID_HEX_CHARS = 8;

/** A short name of a secret that says nothing of it: eight hex digits, the same for the same secret. */
export function keyIdOf(secret: string): string {
  return createHmac('sha256', secret)
    .update('riskgate id of this key')
    .digest('hex')
    .slice(0, KEY_ID_HEX_CHARS);
}

/** Turns an identifier into 32 hex characters that identify it without revealing it. */
export type KeyedHash = (value: string) => string;

/**
 * Builds an HMAC-SHA-256 for one purpose. Each purpose, of any length, has its own key, itself an HMAC of the
 * purpose, so that a telemetry id and a device id of the same text have unrelated hashes. Different strings
 * are hashed as different bytes, lone surrogates included. The latest `memoEntries` (at least 1) values and
 * their hashes are kept in memory. Throws a RangeError on an empty secret.
 */
export function createKeyedHash(
  secret: string | Buffer,
  purpose: string,
  memoEntries: number = MEMO_ENTRIES,
): KeyedHash {
  if (secret.length === 0) throw new RangeError('the secret of a keyed hash is empty');
  // Not HKDF: node:crypto refuses an `info` above 1024 bytes, and a purpose may hold a provider's settings.
  const key = createSecretKey(createHmac('sha256', secret).update(`riskgate ${purpose}`).digest());
  const memo = new LRUCache<string, string>({ max: memoEntries });
  return (value) => {
    const known = memo.get(value);
    if (known !== undefined) return known;
    // UTF-8 would turn every lone surrogate into the same replacement character.
    const hash = createHmac('sha256', key).update(value, 'utf16le').digest('hex').slice(0, HASH_HEX_CHARS);
    memo.set(value, hash);
    return hash;
  };
}
