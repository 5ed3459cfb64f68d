import { formatNetwork, type Network, parseNetwork } from '../ip-address.ts';
import type { ListPart } from './list-part.ts';

/** 128 bits in four words: a hash, or a network or name that nothing else looks like. */
export type Words = readonly [number, number, number, number];

/** An address as a number: IPv4 in the first word, IPv6 in all four. */
export interface AddressWords {
  readonly family: 4 | 6;
  readonly words: Words;
}

const HEX_CHARS = 8;
/** Stands where a hash has digits: the kind of what is no hash. */
const NETWORK_TAGS = { 4: 0x6e65_7404, 6: 0x6e65_7406 } as const;
const ASN_TAG = 0x6173_6e00;
const COUNTRY_TAG = 0x6363_0000;
const ASN_MAX = 4_294_967_295;

/** The words of a value of a list as it is spelled there; null for what is no value of this part. */
export function valueWords(part: ListPart, value: string): Words | null {
  if (part === 'asn') return /^[1-9]\d{0,9}$/.test(value) ? asnWords(Number(value)) : null;
  if (part === 'country') return countryWords(value);
  if (part !== 'ip' || !value.includes('/')) return hashWords(value);
  const network = parseNetwork(value);
  return 'mistake' in network || network.prefix > 64 ? null : wordsOfNetwork(network);
}

/** A value as it is spelled in lists, of its words. */
export function spellWords(part: ListPart, words: Words): string {
  const [first, second, third, prefix] = words;
  if (part === 'asn') return String(first >>> 0);
  if (part === 'country') return String.fromCharCode(first, second);
  if (part === 'ip' && third === NETWORK_TAGS[4])
    return formatNetwork({ family: 4, prefix, head: BigInt(first >>> 0) >> BigInt(32 - prefix) });
  if (part === 'ip' && third === NETWORK_TAGS[6]) {
    const high = (BigInt(first >>> 0) << 32n) | BigInt(second >>> 0);
    return formatNetwork({ family: 6, prefix, head: high >> BigInt(64 - prefix) });
  }
  return words.map((word) => (word >>> 0).toString(16).padStart(HEX_CHARS, '0')).join('');
}

/** The words of the number of an autonomous system; null for what is none. */
export function asnWords(asn: number): Words | null {
  return Number.isInteger(asn) && asn >= 1 && asn <= ASN_MAX ? [asn | 0, 0, ASN_TAG, 0] : null;
}

/** The words of a country's two capitals; null for any other text. */
export function countryWords(country: string): Words | null {
  if (!/^[A-Z]{2}$/.test(country)) return null;
  return [country.charCodeAt(0), country.charCodeAt(1), COUNTRY_TAG, 0];
}

/** The words of a hash of 32 hex digits; null for any other text. */
export function hashWords(hash: string): Words | null {
  if (hash.length !== 4 * HEX_CHARS) return null;
  const words: [number, number, number, number] = [0, 0, 0, 0];
  for (let word = 0; word < 4; word += 1) {
    let bits = 0;
    for (let place = word * HEX_CHARS; place < (word + 1) * HEX_CHARS; place += 1) {
      const digit = hexDigit(hash.charCodeAt(place));
      if (digit < 0) return null;
      bits = (bits << 4) | digit;
    }
    words[word] = bits;
  }
  return words;
}

/** The words of a network of an address: of its first `prefix` bits, at most 64 of IPv6. */
export function networkWords({ family, words }: AddressWords, prefix: number): Words {
  const [first, second] = words;
  const high = maskWord(first, prefix);
  const low = family === 4 ? 0 : maskWord(second, prefix - 32);
  return [high, low, NETWORK_TAGS[family], prefix];
}

/** The words of a parsed network. */
function wordsOfNetwork({ family, prefix, head }: Network): Words {
  const [width, words] = family === 4 ? ([32, 1] as const) : ([128, 4] as const);
  const bits = head << BigInt(width - prefix);
  const wordAt = (place: number) =>
    place < words ? Number((bits >> BigInt(32 * (words - 1 - place))) & 0xffff_ffffn) | 0 : 0;
  return networkWords({ family, words: [wordAt(0), wordAt(1), wordAt(2), wordAt(3)] }, prefix);
}

/** The words of an address in its canonical spelling; null for what is none. */
export function addressWords(text: string): AddressWords | null {
  const words = text.includes(':') ? ipv6Words(text) : ipv4Words(text);
  return words === null ? null : { family: text.includes(':') ? 6 : 4, words };
}

/** One number from all four words, its bits well mixed. */
export function mixWords([first, second, third, fourth]: Words): number {
  let mixed = Math.imul(first ^ Math.imul(third, 0x9e37_79b1), 0x85eb_ca6b);
  mixed = Math.imul((mixed ^ (mixed >>> 15)) + second, 0xc2b2_ae35);
  mixed = Math.imul((mixed ^ (mixed >>> 13)) + fourth, 0x27d4_eb2f);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function maskWord(word: number, bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? word | 0 : (word | 0) & (-1 << (32 - bits));
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 97 && code <= 102 ? code - 87 : -1;
}

function ipv4Words(text: string): Words | null {
  let [bits, octet, dots, digits] = [0, 0, 0, 0];
  for (let place = 0; place < text.length; place += 1) {
    const code = text.charCodeAt(place);
    if (code === 46) {
      if (digits === 0) return null;
      bits = (bits << 8) | octet;
      [octet, digits] = [0, 0];
      dots += 1;
    } else if (code >= 48 && code <= 57) {
      octet = octet * 10 + code - 48;
      digits += 1;
      if (octet > 255) return null;
    } else return null;
  }
  return dots === 3 && digits > 0 ? [(bits << 8) | octet, 0, 0, 0] : null;
}

/** RFC 5952: groups of hex digits, `::` once at most, no dotted end. */
function ipv6Words(text: string): Words | null {
  const groups = [0, 0, 0, 0, 0, 0, 0, 0];
  let [count, gapAt, group, digits] = [0, -1, 0, 0];
  for (let place = 0; place <= text.length; place += 1) {
    const code = place < text.length ? text.charCodeAt(place) : 58;
    if (code !== 58) {
      const digit = hexDigit(code);
      digits += 1;
      if (digit < 0 || digits > 4) return null;
      group = (group << 4) | digit;
    } else if (digits > 0) {
      if (count === 8) return null;
      groups[count] = group;
      count += 1;
      [group, digits] = [0, 0];
    } else if (place > 0 && place < text.length) {
      if (gapAt >= 0) return null;
      gapAt = count;
    }
  }
  if (gapAt < 0 ? count !== 8 : count > 7) return null;
  return toWords(groups, gapAt, count);
}

function toWords(groups: number[], gapAt: number, count: number): Words {
  if (gapAt >= 0) {
    const tail = groups.slice(gapAt, count);
    groups.fill(0, gapAt);
    tail.forEach((group, place) => {
      groups[8 - tail.length + place] = group;
    });
  }
  const wordAt = (place: number) => ((groups[2 * place] ?? 0) << 16) | (groups[2 * place + 1] ?? 0);
  return [wordAt(0), wordAt(1), wordAt(2), wordAt(3)];
}
