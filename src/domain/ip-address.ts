/**
 * An address as a number: 32 bits for IPv4, 128 for IPv6. An IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) is
 * the IPv4 address.
 */
interface Address {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

/** A parsed network. */
export interface Network {
  readonly family: 4 | 6;
  readonly prefix: number;
  /** The bits of the prefix, as a number. */
  readonly head: bigint;
}

const BITS = { 4: 32, 6: 128 } as const;
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
/** Dotted IPv4 in its canonical spelling: what nearly every caller sends. */
const CANONICAL_IPV4 = new RegExp(`^(?:${OCTET}\\.){3}${OCTET}$`);
/** The longest is an IPv6 address with an IPv4 tail, a zone, brackets and a port. */
const TEXT_CHARS_MAX = 128;
const GROUPS = 8;
/** `::ffff:0:0/96`. */
const MAPPED_HEAD = 0xffffn;
const MAPPED_HEAD_BITS = 96;

/**
 * The canonical spelling of the address in `text`: dotted IPv4, or RFC 5952. Brackets, a port, a zone and
 * surrounding spaces are removed. Null for what is not an address, and for an ambiguous one (`010.0.0.1` is
 * 8.0.0.1 or 10.0.0.1).
 */
export function canonicalAddress(text: string): string | null {
  // To parse it and write it again takes ten times as long.
  if (CANONICAL_IPV4.test(text)) return text;
  const address = parseAddress(text);
  return address === null ? null : formatAddress(address);
}

/**
 * The network of an address, as text, with the prefix length of its family. Null for what is not an address.
 */
export function networkOfAddress(
  text: string,
  prefixes: { readonly 4: number; readonly 6: number },
): string | null {
  const address = parseAddress(text);
  if (address === null) return null;
  const prefix = prefixes[address.family];
  const spare = BigInt(BITS[address.family] - prefix);
  return `${formatAddress({ family: address.family, bits: (address.bits >> spare) << spare })}/${prefix}`;
}

/**
 * Parses a network such as `203.0.113.0/24`, or returns the mistake. An IPv4-mapped IPv6 network is the IPv4
 * network.
 */
export function parseNetwork(text: string): Network | { readonly mistake: string } {
  const [address = '', digits, more] = text.split('/');
  if (digits === undefined) return { mistake: 'is no network: write its prefix too, such as 203.0.113.0/24' };
  const bits = /[[\]%]/.test(address) ? null : parseBits(address);
  if (bits === null || more !== undefined || !/^(?:0|[1-9]\d{0,2})$/.test(digits))
    return { mistake: 'is no network such as 203.0.113.0/24 or 2001:db8::/32' };
  const written = Number(digits);
  const isMapped = bits.written === 6 && bits.address.family === 4;
  const prefix = isMapped ? written - MAPPED_HEAD_BITS : written;
  const { family } = bits.address;
  if (prefix < 0 || prefix > BITS[family]) return { mistake: 'has a prefix that its family does not have' };
  const spare = BigInt(BITS[family] - prefix);
  const head = bits.address.bits >> spare;
  if (head << spare !== bits.address.bits) {
    const whole = formatAddress({ family, bits: head << spare });
    return { mistake: `has bits after its prefix: write ${whole}/${prefix}` };
  }
  return { family, prefix, head };
}

/**
 * Builds a test whether an address, in any spelling, is in one of these networks; null for what is not an
 * address.
 */
export function createNetworkTest(networks: readonly Network[]): (text: string) => boolean | null {
  return (text) => {
    const address = parseAddress(text);
    if (address === null) return null;
    return networks.some(
      ({ family, prefix, head }) =>
        family === address.family && address.bits >> BigInt(BITS[family] - prefix) === head,
    );
  };
}

function parseAddress(text: string): Address | null {
  if (text.length > TEXT_CHARS_MAX) return null;
  const [, inBrackets, bare = ''] = /^\[([^[\]]*)\](?::\d{1,5})?$|^(.*)$/s.exec(text.trim()) ?? [];
  // Only IPv6 addresses have brackets, and only IPv4 addresses have a port without them.
  if (inBrackets !== undefined)
    return inBrackets.includes(':') ? (parseBits(inBrackets)?.address ?? null) : null;
  const [, withoutPort = bare] = /^([\d.]+):\d{1,5}$/.exec(bare) ?? [];
  return parseBits(withoutPort)?.address ?? null;
}

function parseBits(text: string): { readonly written: 4 | 6; readonly address: Address } | null {
  if (!text.includes(':')) {
    const bits = parseIpv4(text);
    return bits === null ? null : { written: 4, address: { family: 4, bits } };
  }
  const [, withoutZone] = /^([^%]*)(?:%[\w.~-]{1,64})?$/.exec(text) ?? [];
  const bits = withoutZone === undefined ? null : parseIpv6(withoutZone);
  if (bits === null) return null;
  const isMapped = bits >> 32n === MAPPED_HEAD;
  const address: Address = isMapped ? { family: 4, bits: bits & 0xffff_ffffn } : { family: 6, bits };
  return { written: 6, address };
}

/** Four decimal numbers. A leading zero is refused: some readers take it for octal. */
function parseIpv4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return null;
  return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function parseIpv6(text: string): bigint | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [left, right] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const tail = right ?? left ?? [];
  if (!expandDotted(tail)) return null;
  const head = right === undefined ? [] : (left ?? []);
  const missing = GROUPS - head.length - tail.length;
  // `::` stands for at least one group.
  if (right === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail];
  if (!groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return null;
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/** Turns a dotted IPv4 address at the end of `groups` into two groups; false where it is none. */
function expandDotted(groups: string[]): boolean {
  const last = groups.at(-1);
  if (!last?.includes('.')) return true;
  const bits = parseIpv4(last);
  if (bits === null) return false;
  groups.splice(-1, 1, (bits >> 16n).toString(16), (bits & 0xffffn).toString(16));
  return true;
}

/** The network of the first `prefix` bits of an address, in its one spelling. */
export function formatNetwork({ family, prefix, head }: Network): string {
  return `${formatAddress({ family, bits: head << BigInt(BITS[family] - prefix) })}/${prefix}`;
}

function formatAddress({ family, bits }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => ((bits >> shift) & 0xffn).toString()).join('.');
  const groups = Array.from({ length: GROUPS }, (_, place) =>
    ((bits >> BigInt(16 * (GROUPS - 1 - place))) & 0xffffn).toString(16),
  );
  // RFC 5952, 4.2: the first of the longest runs of at least two zero groups is written as `::`.
  let [start, length] = [0, 1];
  for (let place = 0; place < GROUPS; place += 1) {
    let end = place;
    while (groups[end] === '0') end += 1;
    if (end - place > length) [start, length] = [place, end - place];
  }
  if (length === 1) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}
