/** What a record holds: the types of JSON, without lists and null. */
type GeoipValue = string | number | boolean | { readonly [name: string]: GeoipValue };

/** Networks, such as `203.0.113.0/24` or `2001:db8::/32`, with what is known of them. */
type GeoipNetworks = Readonly<Record<string, GeoipValue>>;

const TYPES = { text: 2, double: 3, uint32: 6, map: 7, boolean: 14 } as const;
const SEPARATOR_BYTES = 16;
const RECORD_BITS = 24;
const METADATA_MARK = Buffer.from('abcdef4d61784d696e642e636f6d', 'hex');

/**
 * A file in the MaxMind format (https://maxmind.github.io/MaxMind-DB/) for IPv6, with IPv4 in `::/96`.
 */
export function writeGeoip(networks: GeoipNetworks, type = 'Test-City'): Buffer {
  const nodes: [Branch, Branch][] = [[null, null]];
  const data: Buffer[] = [];
  let dataBytes = 0;
  for (const [network, value] of Object.entries(networks)) {
    const at = dataBytes;
    const bytes = encode(value);
    data.push(bytes);
    dataBytes += bytes.length;
    put(nodes, toBits(network), { at });
  }
  const count = nodes.length;
  const toRecord = (branch: Branch) => {
    if (branch === null) return count;
    return typeof branch === 'number' ? branch : count + SEPARATOR_BYTES + branch.at;
  };
  const tree = Buffer.alloc((count * 2 * RECORD_BITS) / 8);
  nodes.flat().forEach((branch, place) => {
    tree.writeUIntBE(toRecord(branch), (place * RECORD_BITS) / 8, RECORD_BITS / 8);
  });
  const metadata = {
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_800_000_000,
    database_type: type,
    ip_version: 6,
    node_count: count,
    record_size: RECORD_BITS,
  };
  return Buffer.concat([tree, Buffer.alloc(SEPARATOR_BYTES), ...data, METADATA_MARK, encode(metadata)]);
}

/** The place of another node, data, or nothing. */
type Branch = number | { readonly at: number } | null;

function put(nodes: [Branch, Branch][], bits: readonly (0 | 1)[], leaf: Branch): void {
  let node = 0;
  bits.forEach((bit, depth) => {
    const pair = nodes[node];
    if (pair === undefined) throw new Error('no such node');
    if (depth === bits.length - 1) {
      pair[bit] = leaf;
      return;
    }
    const next = pair[bit];
    if (typeof next === 'number') node = next;
    else {
      node = nodes.push([null, null]) - 1;
      pair[bit] = node;
    }
  });
}

function toBits(network: string): (0 | 1)[] {
  const [address = '', prefix] = network.split('/');
  const isIpv4 = !address.includes(':');
  const digits = isIpv4
    ? '0'.repeat(96) +
      address
        .split('.')
        .map((part) => toBinary(Number(part), 8))
        .join('')
    : expand(address)
        .map((group) => toBinary(Number.parseInt(group, 16), 16))
        .join('');
  return Array.from(digits.slice(0, Number(prefix) + (isIpv4 ? 96 : 0)), (digit) => (digit === '1' ? 1 : 0));
}

function expand(address: string): string[] {
  const [head = [], tail = []] = address.split('::').map((half) => (half === '' ? [] : half.split(':')));
  return [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
}

function toBinary(value: number, length: number): string {
  return value.toString(2).padStart(length, '0');
}

function encode(value: GeoipValue): Buffer {
  if (typeof value === 'string')
    return Buffer.concat([control(TYPES.text, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'boolean') return control(TYPES.boolean, Number(value));
  if (typeof value === 'object') {
    const members = Object.entries(value);
    return Buffer.concat([
      control(TYPES.map, members.length),
      ...members.flatMap(([name, member]) => [encode(name), encode(member)]),
    ]);
  }
  const bytes = Buffer.alloc(Number.isInteger(value) && value >= 0 ? 4 : 8);
  if (bytes.length === 4) bytes.writeUInt32BE(value);
  else bytes.writeDoubleBE(value);
  return Buffer.concat([control(bytes.length === 4 ? TYPES.uint32 : TYPES.double, bytes.length), bytes]);
}

/** The type and the size; none here is above 284 bytes. */
function control(type: number, size: number): Buffer {
  const [short, extra] = size < 29 ? [size, []] : [29, [size - 29]];
  return Buffer.from(type < 8 ? [(type << 5) | short, ...extra] : [short, type - 7, ...extra]);
}
