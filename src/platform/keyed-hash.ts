import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** 128 bits of the HMAC: two ids share a hash by chance after about 2^64 of them, and without the key nobody can search for one offline. */
const HASH_HEX_CHARS = 32;
/** An HMAC costs some microseconds and a memoised one 50 ns; at some 200 bytes an entry this is 2 MB. */
const MEMO_ENTRIES = 10_000;
/** HKDF-SHA-256 needs no more than the hash's own length (RFC 5869, section 2.3). */
const KEY_BYTES = 32;

/** Turns an identifier into 32 hex characters that identify it without revealing it. */
export type KeyedHash = (value: string) => string;

/**
 * Builds an HMAC-SHA-256 for one purpose. Each purpose has its own key, derived by HKDF (RFC 5869), so that a telemetry id and a device id of the same text have unrelated hashes.
 * Different strings are hashed as different bytes, lone surrogates included. The latest `memoEntries` (at least 1) values and their hashes are kept in memory. Throws a RangeError on an empty secret.
 */
export function createKeyedHash(
  secret: string | Buffer,
  purpose: string,
  memoEntries: number = MEMO_ENTRIES,
): KeyedHash {
  if (secret.length === 0) throw new RangeError('the secret of a keyed hash is empty');
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `riskgate ${purpose}`, KEY_BYTES)));
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
