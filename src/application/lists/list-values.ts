import { canonicalAddress, formatNetwork, parseNetwork } from '../../domain/ip-address.ts';
import { HASH, type ListValue } from '../../domain/lists/list-entry.ts';
import type { ListPart } from '../../domain/lists/list-part.ts';
import { valueWords } from '../../domain/lists/value-words.ts';
import type { RecordHashes } from '../decision-log/to-decision-record.ts';

/** Hashes of the parts that lists name, under one key. */
export interface ListHashes extends RecordHashes {
  /** As provider signals have it. */
  readonly visitor: (fingerprint: string) => string;
}

/** A part and what was given of it: an id, its hash after a `#`, an address, a network, a number, a name. */
export interface GivenValue {
  readonly part: ListPart;
  readonly text: string;
  /** The id of the hash key of a hash; null where it is not told. */
  readonly keyId: string | null;
}

/** What is wrong with a given value. */
interface ValueMistake {
  readonly mistake: string;
  /** The mistake is in the id of the hash key. */
  readonly isOfKey?: boolean;
}

type HashOf = (under: ListHashes) => string;

/** Networks of IPv6 that are told apart: a subscriber has at least one of these. */
const IPV6_PREFIX_MAX = 64;
const FULL_PREFIX = { 4: 32, 6: 128 } as const;

/**
 * The value as lists keep it, or what is wrong with it. Identifiers are hashed under every known key, the one in
 * force first: nothing raw is kept. A single address is an identifier, and so is the /64 of IPv6, which a
 * subscriber has; a wider network is none.
 */
export function toListValue(
  { part, text, keyId }: GivenValue,
  hashes: readonly [ListHashes, ...ListHashes[]],
): ListValue | ValueMistake {
  if (part === 'asn') return plain(part, text.replace(/^AS/i, ''), 'is no number of an autonomous system');
  if (part === 'country') return plain(part, text.toUpperCase(), 'is no country of two letters (ISO 3166-1)');
  if (text.startsWith('#')) return toHash(part, text.slice(1), keyId, hashes);
  if (keyId !== null) return { mistake: 'is given, and the value is no hash', isOfKey: true };
  if (part === 'ip') return toAddress(text, hashes);
  if (text === '' || !text.isWellFormed()) return { mistake: 'is no id' };
  return hashed(part, hashes, (under) => under[part](text));
}

function plain(part: ListPart, value: string, mistake: string): ListValue | ValueMistake {
  return valueWords(part, value) === null ? { mistake } : { part, value, keyId: null, others: null };
}

/** Nothing in a hash tells its key: with several of them a wrong guess would block nobody, silently. */
function toHash(
  part: ListPart,
  value: string,
  keyId: string | null,
  hashes: readonly [ListHashes, ...ListHashes[]],
): ListValue | ValueMistake {
  if (!HASH.test(value)) return { mistake: 'is no hash of 32 hex digits' };
  if (keyId === null && hashes.length > 1)
    return { mistake: 'is needed: several hash keys are in use', isOfKey: true };
  const known = keyId === null ? hashes[0] : hashes.find((under) => under.keyId === keyId);
  if (known === undefined) return { mistake: 'is no hash key that is configured', isOfKey: true };
  return { part, value, keyId: known.keyId, others: null };
}

function toAddress(text: string, hashes: readonly [ListHashes, ...ListHashes[]]): ListValue | ValueMistake {
  if (!text.includes('/')) {
    const address = canonicalAddress(text);
    return address === null
      ? { mistake: 'is no address' }
      : hashed('ip', hashes, (under) => under.ip(address));
  }
  const network = parseNetwork(text);
  if ('mistake' in network) return network;
  const { family, prefix } = network;
  const spelled = formatNetwork(network);
  const address = spelled.slice(0, spelled.indexOf('/'));
  if (prefix === FULL_PREFIX[family]) return hashed('ip', hashes, (under) => under.ip(address));
  if (family === 4 || prefix < IPV6_PREFIX_MAX)
    return { part: 'ip', value: spelled, keyId: null, others: null };
  if (prefix > IPV6_PREFIX_MAX) return { mistake: 'has a prefix above 64: name the /64, or the address' };
  return hashed('ip', hashes, (under) => under.network(address));
}

function hashed(
  part: ListPart,
  [inForce, ...older]: readonly [ListHashes, ...ListHashes[]],
  hashOf: HashOf,
): ListValue {
  const others = Object.fromEntries(older.map((under) => [under.keyId, hashOf(under)]));
  return { part, value: hashOf(inForce), keyId: inForce.keyId, others: older.length === 0 ? null : others };
}
